"""Tests of the frequency guard, in the real firmware."""
