"""The totals that are compared with the truth."""

from typing import Final

CHANNELS: Final = (
    "import_energy",
    "export_energy",
    "import_energy_l1",
    "export_energy_l3",
)
