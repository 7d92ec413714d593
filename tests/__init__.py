"""Tests of the integration, in folders and files named as in the code."""
