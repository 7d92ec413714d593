"""Tests of the integration; one folder or file a concern, named as the code is."""
