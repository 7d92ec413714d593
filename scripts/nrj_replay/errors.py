"""What is wrong with what was given."""


class ReplayError(Exception):
    """Says which file, which line, and what to do about it."""
