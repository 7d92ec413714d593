"""Where readings come from: the native API, MQTT, entities."""
