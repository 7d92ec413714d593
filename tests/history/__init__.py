"""How the history heals."""
