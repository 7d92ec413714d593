"""What can go wrong in a demo: one sentence for the person, and an exit status."""


class DemoError(Exception):
    """The demo cannot go on; the message says why and what to do about it."""

    exit_status = 1


class UsageError(DemoError):
    """What the person asked for cannot be done: an option, a folder, a recording."""

    exit_status = 2
