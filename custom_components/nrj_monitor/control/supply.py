"""Parts of the supply with a power and a limit each: the phases, and the total."""

from enum import StrEnum
from typing import Final


class Supply(StrEnum):
    """A phase of the supply, or the whole supply.

    Apart from `catalog.Phase`, whose members are the three phases and nothing else.
    """

    L1 = "L1"
    L2 = "L2"
    L3 = "L3"
    TOTAL = "total"


PHASES: Final = (Supply.L1, Supply.L2, Supply.L3)
