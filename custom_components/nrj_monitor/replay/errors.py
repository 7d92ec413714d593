"""Errors of the input of a replay."""


class ReplayError(Exception):
    """Unusable input; the message names file, line and remedy."""
