"""Calibration of a meter from Home Assistant."""
