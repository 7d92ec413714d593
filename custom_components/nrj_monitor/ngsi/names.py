"""Names a broker accepts, checked before the first request.

Limits of NGSI-v2 (Orion's "syntax restrictions"): identifiers are 1 to 256 printable
ASCII characters without white space and & ? / #; the characters of FORBIDDEN are refused
in any text; tenants and service paths have narrower limits.
"""

import re
from typing import Final

FORBIDDEN: Final = frozenset("<>\"'=;()")
"""Characters Orion refuses in any value, identifier, attribute name or description."""

_IDENTIFIER = re.compile(r"[!-~]{1,256}")
_NOT_IN_IDENTIFIERS = frozenset("&?/#")
_TENANT = re.compile(r"[A-Za-z0-9_]{1,50}")
_LEVEL = re.compile(r"[A-Za-z0-9_]{1,50}")
_LEVELS = 10
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:.+")
_ATTRIBUTE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,255}")


def is_identifier(text: str) -> bool:
    """Return whether `text` may be the id or the type of an NGSI-v2 entity."""
    return _IDENTIFIER.fullmatch(text) is not None and not (
        FORBIDDEN | _NOT_IN_IDENTIFIERS
    ) & set(text)


def is_uri(text: str) -> bool:
    """Return whether `text` may be the id of an NGSI-LD entity, which is a URI."""
    return is_identifier(text) and _URI.fullmatch(text) is not None


def is_attribute(text: str) -> bool:
    """Return whether `text` is an attribute name every broker and database accepts."""
    return _ATTRIBUTE.fullmatch(text) is not None


def is_text(text: str) -> bool:
    """Return whether `text` may be a value."""
    return not FORBIDDEN & set(text) and text.isprintable()


def is_tenant(text: str) -> bool:
    """Return whether `text` may be a tenant (Fiware-Service, NGSILD-Tenant); "" is none."""
    return not text or _TENANT.fullmatch(text) is not None


def is_service_path(text: str) -> bool:
    """Return whether `text` may be a service path: "/", "/house/meters"; "" is none."""
    if text in ("", "/"):
        return True
    if not text.startswith("/"):
        return False
    levels = text[1:].split("/")
    return len(levels) <= _LEVELS and all(map(_LEVEL.fullmatch, levels))


def plain(text: str) -> str:
    """Return `text` without the characters a broker refuses in a value."""
    return "".join(c for c in text if c not in FORBIDDEN and c.isprintable())
