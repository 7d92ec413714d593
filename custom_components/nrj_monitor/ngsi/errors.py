"""States of the link to a broker, and the errors behind the states.

No message holds an address or a secret.
"""

from enum import StrEnum
from typing import ClassVar


class LinkState(StrEnum):
    """State of the link to a broker.

    The values are the states of a sensor and parts of translation keys and issue ids.
    All but the first three are keys of errors.
    """

    CONNECTING = "connecting"
    CONNECTED = "connected"
    NO_STORAGE = "no_storage"
    BUSY = "busy"
    FORBIDDEN = "forbidden"
    NOT_A_BROKER = "not_a_broker"
    REFUSED = "refused"
    TOO_LARGE = "too_large"
    UNANSWERED = "unanswered"
    UNREACHABLE = "unreachable"
    UNTRUSTED = "untrusted"
    WRONG_TOKEN = "wrong_token"


class HistoryState(StrEnum):
    """State of the history behind a broker; the values are states of a sensor."""

    NOT_USED = "not_used"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    FAILING = "failing"
    """Requests to the history itself fail."""
    NOT_NOTIFIED = "not_notified"
    """The broker's notifications do not arrive."""
    NOT_SUBSCRIBED = "not_subscribed"


class DeliveryError(Exception):
    """Failure of a request; the same request may succeed later."""

    key: ClassVar[LinkState] = LinkState.BUSY
    arrived: ClassVar[bool | None] = False
    """Whether the broker has received the request; None where that is unknown."""

    retry_after: float | None = None
    """Seconds the broker asked to wait, None where it did not ask."""


class UnreachableError(DeliveryError):
    """Failure to connect to the server."""

    key = LinkState.UNREACHABLE


class UntrustedError(UnreachableError):
    """Certificate of the server cannot be verified."""

    key = LinkState.UNTRUSTED


class UnansweredError(DeliveryError):
    """Request without an answer: a broken connection, a timeout, or a server error."""

    key = LinkState.UNANSWERED
    arrived = None


class BusyError(DeliveryError):
    """Broker asks for a later retry."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """Store the seconds the broker asked to wait."""
        super().__init__(message)
        self.retry_after = retry_after


class UnauthorizedError(DeliveryError):
    """Token, or credentials for a token, refused by the server."""

    key = LinkState.WRONG_TOKEN


class ForbiddenError(DeliveryError):
    """Valid token without a right to this tenant or service path."""

    key = LinkState.FORBIDDEN


class NotABrokerError(DeliveryError):
    """Answer of another server, or of a broker of the other interface."""

    key = LinkState.NOT_A_BROKER


class TooLargeError(DeliveryError):
    """Request larger than the broker takes."""

    key = LinkState.TOO_LARGE


class RefusedError(DeliveryError):
    """Request the broker will never take; the message is the broker's reason."""

    key = LinkState.REFUSED
