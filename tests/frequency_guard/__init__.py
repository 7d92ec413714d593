"""The guard on the grid frequency, and its parity with the firmware."""
