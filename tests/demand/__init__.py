"""Demand of a meter in Home Assistant."""
