"""Helpers of the tests: devices with ESPHome's native API over loopback, brokers, forms and states."""
