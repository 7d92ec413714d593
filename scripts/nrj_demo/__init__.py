"""The demo: a real Home Assistant with a living simulated meter."""
