"""Servers and forwarders for the attack of a broker."""

from tests.ngsi.conftest import forwarding, hostile, session

__all__ = ["forwarding", "hostile", "session"]
