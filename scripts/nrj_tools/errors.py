"""Errors of the scripts: a sentence for the person, and an exit status."""


class ScriptError(Exception):
    """Failure of a script; the message gives reason and remedy."""

    exit_status = 1


class UsageError(ScriptError):
    """Impossible request: an option, a folder or a recording."""

    exit_status = 2
