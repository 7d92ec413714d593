"""Authentication of requests: none, a static token, or tokens of an OAuth2 server."""

from collections.abc import Callable, Mapping
from math import inf
import re
from ssl import SSLContext
from typing import Any, Final, Protocol
from urllib.parse import quote

import aiohttp

from .answers import NOT_COMPRESSED, TOKEN_LIMIT, decoded, member, read_body
from .errors import UnansweredError, UnauthorizedError, UnreachableError

LIFE_USED: Final = 0.9
"""Part of a token's lifetime after which a new token is fetched."""

DEFAULT_LIFE: Final = 3600.0
"""Seconds until a token expires where the server does not say."""

LONGEST_LIFE: Final = 86_400.0
"""Seconds a token is used at most, whatever its server says."""

_TOKEN: Final = re.compile(r"[!-~]{1,16384}")
"""Token a header can hold."""

TIMEOUT: Final = aiohttp.ClientTimeout(total=20.0)


class Auth(Protocol):
    """Provider of the authentication headers of a request."""

    async def headers(self) -> Mapping[str, str]:
        """Return the headers, after fetching a token where necessary."""

    async def refused(self) -> bool:
        """Record refused headers; return whether a retry has new ones."""


def _headers(token: str) -> dict[str, str]:
    """Return the headers of a token for FIWARE's proxies and for all other servers."""
    return {"X-Auth-Token": token, "Authorization": f"Bearer {token}"}


class StaticAuth:
    """Authentication with a static token, or without any."""

    def __init__(self, token: str | None = None) -> None:
        """Prepare the headers of `token`; None sends no headers."""
        self._headers = _headers(token) if token else {}

    async def headers(self) -> Mapping[str, str]:
        """Return the headers of the token."""
        return self._headers

    async def refused(self) -> bool:
        """Return False: a static token has no successor."""
        return False


class OAuth2:
    """Authentication with tokens of an OAuth2 server such as Keyrock.

    Tokens are fetched and refreshed as needed. With a user name the grant is password,
    without a user name client_credentials.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        client_id: str,
        client_secret: str,
        *,
        clock: Callable[[], float],
        username: str | None = None,
        password: str | None = None,
        ssl: SSLContext | bool = True,
    ) -> None:
        """Prepare for the token endpoint `url`; `clock` returns monotonic seconds."""
        self._session = session
        self._url = url
        self._ssl = ssl
        # RFC 6749, 2.3.1: both are form-encoded before they are joined.
        self._basic = aiohttp.encode_basic_auth(
            quote(client_id, ""), quote(client_secret, "")
        )
        self._grant = (
            {"grant_type": "password", "username": username, "password": password or ""}
            if username
            else {"grant_type": "client_credentials"}
        )
        self._clock = clock
        self._token: str | None = None
        self._refresh: str | None = None
        self._until = 0.0

    async def headers(self) -> Mapping[str, str]:
        """Return the headers of a valid token, renewed if expired."""
        if self._token is None or self._clock() >= self._until:
            await self._renew()
        assert self._token is not None
        return _headers(self._token)

    async def refused(self) -> bool:
        """Discard the token; the next request fetches another."""
        self._token = None
        return True

    async def _renew(self) -> None:
        if self._refresh is not None:
            refresh, self._refresh = self._refresh, None
            try:
                await self._fetch(
                    {"grant_type": "refresh_token", "refresh_token": refresh}
                )
            except UnauthorizedError:
                pass
            else:
                return
        await self._fetch(self._grant)

    async def _fetch(self, form: Mapping[str, str]) -> None:
        """Fetch a token with the grant in `form`.

        Raises UnauthorizedError where the server refuses, UnreachableError and
        UnansweredError where there is no answer.
        """
        try:
            async with self._session.post(
                self._url,
                data=form,
                headers={**NOT_COMPRESSED, "Authorization": self._basic},
                ssl=self._ssl,
                timeout=TIMEOUT,
                allow_redirects=False,
            ) as response:
                status = response.status
                body = await read_body(response, TOKEN_LIMIT)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise UnreachableError("the token server cannot be reached") from error
        if status in (400, 401, 403):
            raise UnauthorizedError("the token server does not know them")
        if status >= 300:
            raise UnreachableError(f"the token server gave no token, status {status}")
        try:
            answer = decoded(body)
        except ValueError as error:
            raise UnansweredError("the token server answers no JSON") from error
        token = member(answer, "access_token")
        if not isinstance(token, str) or not _TOKEN.fullmatch(token):
            raise UnreachableError(f"the token server gave no token, status {status}")
        self._token = token
        refresh = member(answer, "refresh_token")
        self._refresh = refresh if isinstance(refresh, str) else None
        self._until = self._clock() + _life(member(answer, "expires_in")) * LIFE_USED


def _life(told: Any) -> float:
    """Return the seconds a token lives by its server's word."""
    if isinstance(told, bool) or not isinstance(told, (int, float)):
        return DEFAULT_LIFE
    # Compared, not converted: a number of 400 digits is an integer here.
    if not 0 <= told < inf:
        return DEFAULT_LIFE
    return float(min(told, LONGEST_LIFE))
