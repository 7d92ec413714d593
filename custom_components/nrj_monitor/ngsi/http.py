"""HTTP requests to brokers and history servers, and the errors of their answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
import os
from ssl import SSLContext
from typing import Any, Final

import aiohttp

from .answers import ANSWER_LIMIT, NOT_COMPRESSED, decoded, read_body
from .auth import Auth
from .errors import (
    BusyError,
    DeliveryError,
    ForbiddenError,
    NotABrokerError,
    RefusedError,
    TooLargeError,
    UnansweredError,
    UnauthorizedError,
    UnreachableError,
    UntrustedError,
)
from .names import plain
from .retry import retry_after

TIMEOUT: Final = aiohttp.ClientTimeout(total=60.0, connect=10.0)
REASON_LIMIT: Final = 200
"""Characters of a broker's reason to keep."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer of a server: status, headers and body, None for a body beyond bounds."""

    status: int
    headers: Mapping[str, str]
    body: bytes | None

    def json(self) -> Any:
        """Return the decoded body; raises NotABrokerError where the body is no JSON."""
        try:
            return decoded(self.body)
        except ValueError as error:
            raise NotABrokerError("the answer is no JSON of a broker") from error

    @property
    def reason(self) -> str:
        """Return the broker's reason for a refusal, else its status."""
        try:
            body = decoded(self.body)
        except ValueError:
            body = {}
        words = (
            [
                str(body[key])[:REASON_LIMIT]
                for key in ("error", "title", "description", "detail")
                if isinstance(body.get(key), str)
            ]
            if isinstance(body, dict)
            else []
        )
        reason = plain(": ".join(words))[:REASON_LIMIT]
        return reason or f"status {self.status}"


class Server:
    """Server at a base URL, with authentication and headers common to all requests."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        auth: Auth,
        *,
        headers: Mapping[str, str] | None = None,
        ssl: SSLContext | bool = True,
    ) -> None:
        """Prepare requests to `url`, without sending any."""
        self._session = session
        self._url = url.rstrip("/")
        self._auth = auth
        self._headers = dict(headers or {})
        self._ssl = ssl

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        allowed: tuple[int, ...] = (),
    ) -> Answer:
        """Return the answer to a request: successful, or with a status in `allowed`.

        Raises the DeliveryError of the failure. A refused token is renewed once.
        """
        answer = await self._once(method, path, body, headers, params)
        if answer.status == 401 and await self._auth.refused():
            answer = await self._once(method, path, body, headers, params)
        if 200 <= answer.status < 300 or answer.status in allowed:
            return answer
        raise _error(answer)

    async def _once(
        self,
        method: str,
        path: str,
        body: bytes | None,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str] | None,
    ) -> Answer:
        who = await self._auth.headers()
        try:
            async with self._session.request(
                method,
                self._url + path,
                data=body,
                headers={**NOT_COMPRESSED, **self._headers, **who, **(headers or {})},
                params=params,
                ssl=self._ssl,
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                return Answer(
                    response.status,
                    response.headers,
                    await read_body(response, ANSWER_LIMIT),
                )
        except (
            aiohttp.ClientConnectorCertificateError,
            aiohttp.ClientSSLError,
        ) as error:
            raise UntrustedError("its certificate cannot be verified") from error
        except aiohttp.ConnectionTimeoutError as error:
            raise UnreachableError("nothing answers") from error
        except aiohttp.ClientConnectorError as error:
            raise UnreachableError(_why_unconnected(error)) from error
        except aiohttp.InvalidURL as error:
            raise UnreachableError("the address is none") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnansweredError(type(error).__name__) from error
        except ValueError as error:
            # A token or an address that no header can hold.
            raise UnreachableError("the request cannot be written") from error


def _why_unconnected(error: aiohttp.ClientConnectorError) -> str:
    """Return the reason of a failed connection, without the address."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name is not known"
    return os.strerror(error.errno).lower() if error.errno else "nothing answers"


def _error(answer: Answer) -> DeliveryError:
    """Return the error for the status of an unsuccessful answer."""
    status = answer.status
    if status == 401:
        return UnauthorizedError(answer.reason)
    if status == 403:
        return ForbiddenError(answer.reason)
    if status == 413:
        return TooLargeError(answer.reason)
    if status in (408, 425, 429, 503):
        asked = retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
        return BusyError(answer.reason, asked)
    if status >= 500:
        return UnansweredError(answer.reason)
    if status in (400, 409, 422):
        return RefusedError(answer.reason)
    return NotABrokerError(answer.reason)
