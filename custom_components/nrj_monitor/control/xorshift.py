"""Pseudo-random numbers of a seed, drawn as the firmware draws them."""


class XorShift32:
    """Marsaglia's generator xorshift32."""

    def __init__(self, seed: int) -> None:
        """Start with a seed; 0 becomes 1, since zero would stay zero."""
        self._state = seed & 0xFFFFFFFF or 1

    def below(self, limit: float) -> float:
        """Return a number from 0 up to `limit`, in thousandths of `limit`."""
        state = self._state
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        self._state = state
        return limit * (state % 1000) / 1000.0
