"""Errors of a release."""


class ReleaseError(Exception):
    """A release can not be made; the text names the file and the remedy."""
