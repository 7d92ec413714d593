"""Tests of the configurations that people flash."""
