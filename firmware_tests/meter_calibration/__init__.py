"""Tests of the calibration, in the real firmware."""
