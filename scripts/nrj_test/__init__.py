"""The test command: its steps, which run side by side, and what a change needs."""
