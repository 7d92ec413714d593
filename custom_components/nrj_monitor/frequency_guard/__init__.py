"""Frequency guard as in the firmware: pure rules without Home Assistant."""
