"""The guard on the grid frequency, as the meter has it too: rules without Home Assistant."""
