"""Tests of the wiring check, in the real firmware."""
