"""What the tests stand on: devices that speak ESPHome's native API over loopback."""
