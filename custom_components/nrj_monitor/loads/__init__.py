"""Loads of the house: entities of any integration, controlled by the arbiter."""
