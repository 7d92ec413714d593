"""What can go wrong between here and a broker, and what follows from it.

No message holds an address or a secret. Each `key` is that of a sentence for people.
"""

from typing import ClassVar


class DeliveryError(Exception):
    """A request was not answered as hoped; the same request may succeed later."""

    key: ClassVar[str] = "busy"
    arrived: ClassVar[bool | None] = False
    """Whether what was sent is in the broker; None where that is not known."""

    retry_after: float | None = None
    """Seconds the broker asked to wait, if it did."""


class UnreachableError(DeliveryError):
    """There was no connection."""

    key = "unreachable"


class UntrustedError(UnreachableError):
    """The broker's certificate is not to be trusted."""

    key = "untrusted"


class UnansweredError(DeliveryError):
    """The connection broke, the time was up, or the broker failed before it answered."""

    key = "unanswered"
    arrived = None


class BusyError(DeliveryError):
    """The broker asks to come back later."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        """Remember for how many seconds it asked."""
        super().__init__(message)
        self.retry_after = retry_after


class UnauthorizedError(DeliveryError):
    """The token, or what one is asked for with, is not accepted."""

    key = "wrong_token"


class ForbiddenError(DeliveryError):
    """The token is good, but not for this tenant or service path."""

    key = "forbidden"


class NotABrokerError(DeliveryError):
    """Something else answers at the address, or a broker of the other interface."""

    key = "not_a_broker"


class TooLargeError(DeliveryError):
    """The request is larger than the broker takes."""

    key = "too_large"


class RefusedError(DeliveryError):
    """The broker will never take what was sent; the message is its reason."""

    key = "refused"
