"""Tests of the energy journal, in the real firmware."""
