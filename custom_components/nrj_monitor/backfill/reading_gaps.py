"""When a meter could not be read: pure rules."""


class ReadingGaps:
    """Knows when a meter was not read, or nobody can tell whether it was."""

    def __init__(self) -> None:
        """Begin with none."""
        self._begin: float | None = None
        self._over: list[tuple[float, float]] = []

    def take(self, connected: bool, now: float) -> None:
        """Note whether there is a link at `now`, s since 1970."""
        if not connected:
            self._begin = now if self._begin is None else self._begin
        elif self._begin is not None:
            self._over.append((self._begin, now))
            self._begin = None

    def cover(self, time: float) -> bool:
        """Tell whether a time, s since 1970, lies in one."""
        return any(begin <= time < end for begin, end in self._over) or (
            self._begin is not None and self._begin <= time
        )

    def forget_before(self, time: float) -> None:
        """Forget those that were over by then."""
        self._over = [one for one in self._over if one[1] > time]
