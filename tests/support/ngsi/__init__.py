"""Strict test servers on loopback ports, with the measured behaviour of real ones.

What they do not prove: anything a real one does that nobody has measured yet.
"""

from tests.support.ngsi.hostile import Hostile
from tests.support.ngsi.keyrock import Keyrock
from tests.support.ngsi.loopback import Loopback
from tests.support.ngsi.ngsi_ld import NgsiLd
from tests.support.ngsi.orion import NgsiV2
from tests.support.ngsi.quantumleap import QuantumLeapServer

__all__ = ["Hostile", "Keyrock", "Loopback", "NgsiLd", "NgsiV2", "QuantumLeapServer"]
