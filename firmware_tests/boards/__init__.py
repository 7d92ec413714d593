"""Check the configurations people flash."""
