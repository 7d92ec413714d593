"""The demo's house in the evening, one Home Assistant for all tests."""
