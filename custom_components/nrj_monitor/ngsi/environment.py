"""Environment of a forwarder: what Home Assistant stands for there."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol


class Executor(Protocol):
    """Runner of blocking functions in another thread."""

    def __call__[*Ts, T](
        self, function: Callable[[*Ts], T], /, *arguments: *Ts
    ) -> Awaitable[T]:
        """Return the result of `function`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Executor, clock (seconds) and random numbers (from 0 to below 1) of a forwarder."""

    executor: Executor
    clock: Callable[[], float]
    random: Callable[[], float]
