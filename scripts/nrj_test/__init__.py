"""The test command: its steps, run side by side, and the selection for a change."""
