"""Test server: slow, down, full, rate-limiting or wrong on demand."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
import json
import math
import re
from ssl import SSLContext
from typing import Any, Self

from aiohttp import web

LIMIT = 1_048_576
"""Bytes of a request Orion takes."""


class Refusal(Exception):
    """Answer other than success, raised by a handler."""

    def __init__(self, status: int, error: str, description: str) -> None:
        """Prepare the status, error and description of an answer."""
        super().__init__(description)
        self.status, self.error, self.description = status, error, description


def milliseconds(text: str) -> int:
    """Return an ISO time in milliseconds, independent of the code under test."""
    moment = datetime.strptime(
        text.replace("Z", "+0000"), "%Y-%m-%dT%H:%M:%S.%f%z"
    ).astimezone(UTC)
    return int(moment.timestamp()) * 1000 + moment.microsecond // 1000


@lru_cache(1024)
def normalized_time(text: Any) -> str:
    """Return a DateTime in Orion's stored form: UTC, milliseconds."""
    try:
        moment = datetime.fromisoformat(text)
    except TypeError, ValueError:
        raise Refusal(400, "BadRequest", "date has invalid format") from None
    moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


BEYOND = re.compile(rb"\d[eE]\+?\d{3}")


def number(text: str) -> float:
    """Return a JSON number; raises Refusal for a number beyond a double."""
    value = float(text)
    if math.isinf(value):
        raise ValueError(text)
    return value


def parsed(body: bytes) -> Any:
    """Return JSON from a strict parser: no NaN, no number beyond a double."""

    def constant(text: str) -> float:
        raise ValueError(text)

    try:
        # An exponent of three digits may be beyond a double, which needs a closer look.
        if BEYOND.search(body):
            return json.loads(body, parse_float=number, parse_constant=constant)
        return json.loads(body, parse_constant=constant)
    except ValueError:
        raise Refusal(
            400, "ParseError", "Errors found in incoming JSON buffer"
        ) from None


def as_orion_writes(value: Any) -> Any:
    """Return a value with whole numbers without a fraction: 0.0 comes out as 0."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return int(value)
    if isinstance(value, dict):
        return {key: as_orion_writes(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_orion_writes(inner) for inner in value]
    return value


def orion_json(value: Any) -> str:
    """Return JSON as Orion writes it: compact, whole numbers as integers."""
    return json.dumps(as_orion_writes(value), separators=(",", ":"))


@dataclass(frozen=True)
class Applied:
    """Entity of a request with its time (ms), in the form applied by the server."""

    id: str
    time: int | None
    entity: dict[str, Any]


class Loopback:
    """Application on a loopback port, with the same port after restarts."""

    def __init__(self) -> None:
        """Prepare a server without faults."""
        self.port = 0
        self.ssl: SSLContext | None = None
        self.app = web.Application(
            client_max_size=16 * LIMIT, middlewares=[self._guard]
        )
        self._runner: web.AppRunner | None = None
        self.requests: list[str] = []
        self.bodies: list[int] = []
        self.delay = 0.0
        self.status: int | None = None
        self.retry_after: str | None = None
        self.wrong = False
        self.lose_answers = 0
        """How many of the next writes are done and never answered."""
        self.token: str | None = None
        self.accept_token: Callable[[str], bool] | None = None
        self.drop_requests = 0
        self.in_flight = 0
        self.most_in_flight = 0

    @property
    def url(self) -> str:
        """Return the URL of the server."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start to listen."""
        self._runner = web.AppRunner(
            self.app,
            handle_signals=False,
            shutdown_timeout=0.1,
            access_log=None,
            handler_cancellation=True,
        )
        await self._runner.setup()
        site = web.TCPSite(
            self._runner,
            "127.0.0.1",
            self.port,
            reuse_address=True,
            ssl_context=self.ssl,
        )
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop to listen, and cut open connections."""
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()
            # An application is started once only: its routes move to a new one.
            app = web.Application(client_max_size=16 * LIMIT, middlewares=[self._guard])
            self.app = app
            self.routes()

    def routes(self) -> None:
        """Add the routes of the server."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        """Start the server."""
        self.routes()
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop the server."""
        await self.stop()

    @web.middleware
    async def _guard(
        self,
        request: web.Request,
        handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
    ) -> web.StreamResponse:
        self.requests.append(f"{request.method} {request.path}")
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            if self.delay:
                await asyncio.sleep(self.delay)
            if self.drop_requests:
                self.drop_requests -= 1
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            if self.wrong:
                return web.Response(
                    text="<html>It works!</html>", content_type="text/html"
                )
            if self.status is not None:
                headers = {"Retry-After": self.retry_after} if self.retry_after else {}
                return web.json_response(
                    {"error": "Unavailable", "description": "later"},
                    status=self.status,
                    headers=headers,
                )
            if (self.token or self.accept_token) and request.path != "/oauth2/token":
                sent = request.headers.get("X-Auth-Token", "")
                good = (
                    self.accept_token(sent) if self.accept_token else sent == self.token
                )
                if not good:
                    return web.json_response({"error": "Unauthorized"}, status=401)
            try:
                return await handler(request)
            except Refusal as refusal:
                return web.json_response(
                    {"error": refusal.error, "description": refusal.description},
                    status=refusal.status,
                )
        finally:
            self.in_flight -= 1

    def answered(self, request: web.Request, response: web.Response) -> web.Response:
        """Return the response to a write, or cut the connection instead."""
        if self.lose_answers:
            self.lose_answers -= 1
            assert request.transport is not None
            request.transport.abort()
        return response
