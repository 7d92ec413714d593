"""Login to a Home Assistant, and creation of its first user."""

from collections.abc import Mapping
from dataclasses import dataclass
import time
from typing import Any

import aiohttp

from .errors import ScriptError

USERNAME = "demo"
PASSWORD = "demo"
"""Known to everybody, so the demo only ever listens on the loopback."""

EARLY = 60.0
"""Seconds before its end at which an access token is renewed."""


@dataclass(slots=True)
class Tokens:
    """Tokens of a login; `expires_at` is on the monotonic clock."""

    access: str
    refresh: str
    lifetime: float
    expires_at: float


class Login:
    """Login of a user, renewed as needed and never stored."""

    def __init__(self, session: aiohttp.ClientSession, base_url: str) -> None:
        """Prepare without a login."""
        self.base_url = base_url
        self._session = session
        self._tokens: Tokens | None = None

    @property
    def client_id(self) -> str:
        """Return the client id of this program."""
        return f"{self.base_url}/"

    async def create_user(self) -> None:
        """Create the first user, as the onboarding page does, and log in."""
        answer = await self._post_json(
            "/api/onboarding/users",
            {
                "client_id": self.client_id,
                "name": "Demo",
                "username": USERNAME,
                "password": PASSWORD,
                "language": "en",
            },
        )
        await self._exchange(answer["auth_code"])

    async def user_exists(self) -> bool:
        """Return whether the first user was created before."""
        async with self._session.get(f"{self.base_url}/api/onboarding") as response:
            if response.status == 404:  # the view is gone once onboarding is done
                return True
            steps = await response.json()
        return any(step["step"] == "user" and step["done"] for step in steps)

    async def log_in(self) -> None:
        """Log in with the password.

        Raises:
            ScriptError: the password is not the demo's any more.
        """
        flow = await self._post_json(
            "/auth/login_flow",
            {
                "client_id": self.client_id,
                "handler": ["homeassistant", None],
                "redirect_uri": self.client_id,
            },
        )
        answer = await self._post_json(
            f"/auth/login_flow/{flow['flow_id']}",
            {
                "client_id": self.client_id,
                "username": USERNAME,
                "password": PASSWORD,
            },
        )
        if answer["type"] != "create_entry":
            raise ScriptError(
                f"The user '{USERNAME}' no longer has the password '{PASSWORD}':"
                " set it back, or start clean with '--fresh'."
            )
        await self._exchange(answer["result"])

    async def access_token(self) -> str:
        """Return an access token, valid for at least a minute."""
        if self._tokens is None:
            raise ScriptError("Nobody is logged in.")
        if time.monotonic() > self._tokens.expires_at - EARLY:
            await self._exchange_form(
                {"grant_type": "refresh_token", "refresh_token": self._tokens.refresh}
            )
        return self._tokens.access

    def browser_tokens(self) -> dict[str, Any]:
        """Return the tokens in the form the frontend keeps in its local storage."""
        if self._tokens is None:
            raise ScriptError("Nobody is logged in.")
        left = self._tokens.expires_at - time.monotonic()
        return {
            "access_token": self._tokens.access,
            "token_type": "Bearer",
            "refresh_token": self._tokens.refresh,
            "expires_in": round(self._tokens.lifetime),
            "hassUrl": self.base_url,
            "clientId": self.client_id,
            "expires": round((time.time() + left) * 1000),
        }

    async def _exchange(self, code: str) -> None:
        await self._exchange_form({"grant_type": "authorization_code", "code": code})

    async def _exchange_form(self, form: Mapping[str, str]) -> None:
        async with self._session.post(
            f"{self.base_url}/auth/token", data={"client_id": self.client_id, **form}
        ) as response:
            response.raise_for_status()
            answer = await response.json()
        lifetime = float(answer["expires_in"])
        # A renewal keeps the refresh token and does not repeat it.
        known = "" if self._tokens is None else self._tokens.refresh
        self._tokens = Tokens(
            access=answer["access_token"],
            refresh=answer.get("refresh_token", known),
            lifetime=lifetime,
            expires_at=time.monotonic() + lifetime,
        )

    async def _post_json(self, path: str, body: Mapping[str, Any]) -> Any:
        async with self._session.post(
            f"{self.base_url}{path}", json=dict(body)
        ) as response:
            if response.status >= 400:
                raise ScriptError(
                    f"Home Assistant refused the login at {path}:"
                    f" {await response.text()} ({response.status})."
                )
            return await response.json()
