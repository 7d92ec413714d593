"""Issues of a meter and their repair flows."""
