"""Tests of the firmware's messages."""
