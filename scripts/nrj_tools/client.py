"""Client of Home Assistant's REST and websocket interfaces."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from itertools import count
from typing import Any, Self

import aiohttp

from .errors import ScriptError

type Message = dict[str, Any]

COMMAND_TIMEOUT = 120.0
"""Seconds Home Assistant may take to answer one request."""

MAXIMUM_MESSAGE = 64 * 1024 * 1024
"""Bytes of one websocket message; a week of statistics is about one."""


class HomeAssistantError(ScriptError):
    """Request refused by Home Assistant; `code` is its error code."""

    def __init__(self, request: str, code: str, reason: str) -> None:
        """Prepare the message of a refused request and its reason."""
        super().__init__(f"Home Assistant refused {request}: {reason} ({code}).")
        self.code = code


class HomeAssistantClient:
    """Logged-in connection to a Home Assistant."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        base_url: str,
        access_token: Callable[[], Awaitable[str]],
    ) -> None:
        """Prepare a client; `access_token` returns a valid token."""
        self.base_url = base_url
        self._session = session
        self._access_token = access_token
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._reader: asyncio.Task[None] | None = None
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._listeners: dict[int, Callable[[Message], None]] = {}

    async def connect(self) -> None:
        """Open the websocket and log in."""
        self._socket = await self._session.ws_connect(
            f"{self.base_url}/api/websocket", max_msg_size=MAXIMUM_MESSAGE, heartbeat=20
        )
        await self._socket.receive_json(timeout=COMMAND_TIMEOUT)
        await self._socket.send_json(
            {"type": "auth", "access_token": await self._access_token()}
        )
        answer = await self._socket.receive_json(timeout=COMMAND_TIMEOUT)
        if answer["type"] != "auth_ok":
            raise HomeAssistantError(
                "the login", answer["type"], answer.get("message", "no reason given")
            )
        self._reader = asyncio.create_task(self._read(self._socket))

    async def close(self) -> None:
        """Close the websocket."""
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            self._reader.cancel()
            with suppress(asyncio.CancelledError):
                await self._reader

    async def __aenter__(self) -> Self:
        """Connect to Home Assistant."""
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connection."""
        await self.close()

    async def command(self, kind: str, **arguments: Any) -> Any:
        """Send a websocket command and return its result.

        Raises:
            HomeAssistantError: it was refused, or the connection broke.
        """
        _, answer = await self._send(kind, arguments)
        return await self._result(kind, answer)

    async def subscribe(
        self, listener: Callable[[Message], None], kind: str, **arguments: Any
    ) -> None:
        """Call `listener` with each event of a websocket subscription."""
        id_, answer = await self._send(kind, arguments, listener)
        try:
            await self._result(kind, answer)
        except BaseException:
            self._listeners.pop(id_, None)
            raise

    async def get(self, path: str, **query: str) -> Any:
        """Return the JSON at a REST path below /api."""
        return await self._rest("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        """Post JSON to a REST path below /api and return the answer."""
        return await self._rest("POST", path, json=dict(body))

    async def _rest(self, method: str, path: str, **options: Any) -> Any:
        headers = {"Authorization": f"Bearer {await self._access_token()}"}
        async with (
            asyncio.timeout(COMMAND_TIMEOUT),
            self._session.request(
                method, f"{self.base_url}/api/{path}", headers=headers, **options
            ) as response,
        ):
            if response.status >= 400:
                raise HomeAssistantError(
                    f"{method} {path}", str(response.status), await response.text()
                )
            return await response.json()

    async def _send(
        self,
        kind: str,
        arguments: Mapping[str, Any],
        listener: Callable[[Message], None] | None = None,
    ) -> tuple[int, asyncio.Future[Any]]:
        if self._socket is None or self._reader is None or self._reader.done():
            raise HomeAssistantError(kind, "not_connected", "the connection is closed")
        id_ = next(self._ids)
        self._answers[id_] = asyncio.get_running_loop().create_future()
        if listener is not None:
            self._listeners[id_] = listener
        await self._socket.send_json({"id": id_, "type": kind, **arguments})
        return id_, self._answers[id_]

    async def _result(self, kind: str, answer: asyncio.Future[Any]) -> Any:
        async with asyncio.timeout(COMMAND_TIMEOUT):
            message = await answer
        if not message["success"]:
            error = message["error"]
            raise HomeAssistantError(kind, error["code"], error["message"])
        return message["result"]

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Pass on received messages until the connection ends."""
        try:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.TEXT:
                    self._hand_out(message.json())
        finally:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(
                        HomeAssistantError(
                            "a command", "closed", "the connection was closed"
                        )
                    )

    def _hand_out(self, message: Message) -> None:
        id_ = message.get("id", 0)
        if message["type"] == "event" and id_ in self._listeners:
            self._listeners[id_](message["event"])
        elif (answer := self._answers.pop(id_, None)) is not None and not answer.done():
            answer.set_result(message)
