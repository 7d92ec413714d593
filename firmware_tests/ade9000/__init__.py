"""Tests of the driver of the chip, in the real firmware."""
