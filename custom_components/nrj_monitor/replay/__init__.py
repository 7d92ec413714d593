"""Replay of recordings: what the guard and the arbiter would have done."""
