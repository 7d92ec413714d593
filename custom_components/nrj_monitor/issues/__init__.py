"""Issues of a meter in the issue registry, and the checks that find them."""
