"""One way to ask any of the servers, and one way to understand a refusal."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
import json
from ssl import SSLContext
from typing import Any, Final

import aiohttp

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
ANSWER_LIMIT: Final = 8 * 1024 * 1024
"""Bytes of an answer that are read at most."""

REASON_LIMIT: Final = 200
"""Characters of a broker's reason that are kept."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the body; raises NotABrokerError where it is no JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise NotABrokerError("The answer is no JSON") from error

    @property
    def reason(self) -> str:
        """Return the reason a broker gives, in its own words."""
        try:
            told = json.loads(self.body)
        except ValueError:
            told = {}
        words = (
            [
                str(told[key])
                for key in ("error", "title", "description", "detail")
                if isinstance(told.get(key), str)
            ]
            if isinstance(told, dict)
            else []
        )
        said = plain(": ".join(words))[:REASON_LIMIT]
        return said or f"status {self.status}"


class Server:
    """A server at a base address, asked with the same headers each time."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        auth: Auth,
        *,
        headers: Mapping[str, str] | None = None,
        ssl: SSLContext | bool = True,
    ) -> None:
        """Prepare; nothing is asked yet."""
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
        """Return a successful answer, or one with a status in `allowed`.

        Raises DeliveryError of the kind that tells what to do.
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
                headers={**self._headers, **who, **(headers or {})},
                params=params,
                ssl=self._ssl,
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                return Answer(
                    response.status,
                    response.headers,
                    await _read(response.content),
                )
        except (
            aiohttp.ClientConnectorCertificateError,
            aiohttp.ClientSSLError,
        ) as error:
            raise UntrustedError("The certificate is not trusted") from error
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise UnreachableError("There is no connection") from error
        except aiohttp.InvalidURL as error:
            raise UnreachableError("The address is none") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnansweredError(
                f"There was no answer: {type(error).__name__}"
            ) from error


async def _read(stream: aiohttp.StreamReader) -> bytes:
    """Return a body; what is beyond the limit is left."""
    body = bytearray()
    async for chunk in stream.iter_any():
        body += chunk
        if len(body) > ANSWER_LIMIT:
            break
    return bytes(body)


def _error(answer: Answer) -> DeliveryError:
    """Return what an unsuccessful answer means."""
    status = answer.status
    if status == 401:
        return UnauthorizedError("The broker does not accept the token")
    if status == 403:
        return ForbiddenError("The broker does not allow this")
    if status == 413:
        return TooLargeError("The request is too large for the broker")
    if status in (408, 425, 429, 503):
        asked = retry_after(answer.headers.get("Retry-After"), datetime.now(UTC))
        return BusyError(f"The broker is busy: {answer.reason}", asked)
    if status >= 500:
        return UnansweredError(f"The broker failed: {answer.reason}")
    if status in (400, 409, 422):
        return RefusedError(answer.reason)
    return NotABrokerError(f"No broker answers there: {answer.reason}")
