"""Tests of calibration from Home Assistant."""
