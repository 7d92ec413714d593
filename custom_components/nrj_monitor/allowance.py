"""Rate limit of what a device or broker sends: pure rules."""


class Allowance:
    """Token bucket: `rate` a second, and `burst` at once; times in s of any one clock."""

    __slots__ = ("_burst", "_left", "_rate", "_time")

    def __init__(self, rate: float, burst: float) -> None:
        """Start with all of `burst` left."""
        self._rate = rate
        self._burst = burst
        self._left = burst
        self._time = 0.0

    def takes(self, now: float, amount: float = 1.0) -> bool:
        """Spend `amount` at `now`; return whether there was enough left for it."""
        self._left = min(self._burst, self._left + self._rate * (now - self._time))
        self._time = now
        if amount > self._left:
            return False
        self._left -= amount
        return True
