"""Loads of the house in Home Assistant."""
