"""Assist: queries, aliases and loads, by voice and by language models."""
