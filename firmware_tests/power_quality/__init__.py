"""Tests of events and harmonics, in the real firmware."""
