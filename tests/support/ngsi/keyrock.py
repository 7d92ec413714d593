"""Test OAuth2 server like Keyrock."""

import base64

from aiohttp import web

from tests.support.ngsi.loopback import Loopback


class Keyrock(Loopback):
    """OAuth2 server of numbered tokens."""

    def __init__(self, client: str = "app", secret: str = "s3cret") -> None:
        """Prepare the accepted client and user."""
        super().__init__()
        self.client, self.secret = client, secret
        self.forms: list[dict[str, str]] = []
        self.issued = 0
        self.life = 3600
        self.refreshable = True
        self.nonsense = False

    def routes(self) -> None:
        """Add the routes of the server."""
        self.app.router.add_post("/oauth2/token", self._token)

    @property
    def current(self) -> str:
        """Return the newest token."""
        return f"token-{self.issued}"

    async def _token(self, request: web.Request) -> web.Response:
        form = {key: str(value) for key, value in (await request.post()).items()}
        self.forms.append(form)
        if self.nonsense:
            return web.json_response({"hello": "world"})

        given = request.headers["Authorization"].removeprefix("Basic ")
        if base64.b64decode(given).decode() != f"{self.client}:{self.secret}":
            return web.json_response({"error": "invalid_client"}, status=401)
        if form["grant_type"] == "refresh_token" and (
            not self.refreshable or form["refresh_token"] != f"refresh-{self.issued}"
        ):
            return web.json_response({"error": "invalid_grant"}, status=400)
        self.issued += 1
        return web.json_response(
            {
                "access_token": self.current,
                "refresh_token": f"refresh-{self.issued}",
                "expires_in": self.life,
                "token_type": "Bearer",
            }
        )
