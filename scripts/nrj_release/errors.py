"""What can be wrong with a release."""


class ReleaseError(Exception):
    """A release can not be made; the text says of which file, and what to do."""
