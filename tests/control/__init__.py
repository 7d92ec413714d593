"""Load control: the pure rules."""
