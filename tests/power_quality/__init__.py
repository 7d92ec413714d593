"""Events of the supply."""
