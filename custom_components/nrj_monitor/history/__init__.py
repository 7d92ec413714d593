"""What the meter's journal tells of an outage, and how it gets into the statistics."""
