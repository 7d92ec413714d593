"""Replay of recordings through the guard and the arbiter."""
