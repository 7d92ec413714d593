"""Tools of the demo, the benchmarks and the tests: firmware, Home Assistant, processes."""

from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
"""Root folder of the repository."""
