"""Strict servers on loopback ports, answering as the real ones were measured to.

What they do not prove: anything a real one does that nobody has measured yet.
"""

from .keyrock import Keyrock
from .loopback import Loopback
from .ngsi_ld import NgsiLd
from .orion import NgsiV2
from .quantumleap import QuantumLeapServer

__all__ = ["Keyrock", "Loopback", "NgsiLd", "NgsiV2", "QuantumLeapServer"]
