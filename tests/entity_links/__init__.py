"""Entities of other integrations that move or go."""
