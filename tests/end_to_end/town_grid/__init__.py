"""A meter in a town whose grid collapses, one Home Assistant for all tests."""
