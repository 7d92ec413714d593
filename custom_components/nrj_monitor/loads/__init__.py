"""Loads of the house: entities of any integration that the arbiter decides over."""
