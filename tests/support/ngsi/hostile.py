"""Test server that answers any request with the same bytes, whatever they are."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
import re
from typing import Self


@dataclass(frozen=True)
class Reply:
    """Answer of a server: any status, headers and body, and whether it ever ends."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    endless: bool = False
    raw: bytes | None = None
    """Bytes sent instead of an answer in HTTP."""

    def encoded(self) -> bytes:
        """Return the bytes of the answer."""
        if self.raw is not None:
            return self.raw
        headers = {"Content-Type": "application/json", **self.headers}
        if not self.endless:
            headers.setdefault("Content-Length", str(len(self.body)))
        lines = [f"HTTP/1.1 {self.status} X"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join([*lines, "Connection: close", "", ""])
        return head.encode("utf-8", "replace") + self.body


class Hostile:
    """Server on a loopback port that reads requests and sends its reply."""

    def __init__(self) -> None:
        """Prepare a server with an empty answer."""
        self.reply = Reply()
        self.requests: list[str] = []
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Return the URL of the server."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def answer(
        self,
        body: bytes = b"",
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        endless: bool = False,
    ) -> None:
        """Set the answer to all requests."""
        self.reply = Reply(status, headers or {}, body, endless)

    async def __aenter__(self) -> Self:
        """Start to listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop to listen, and cut open connections."""
        assert self._server is not None
        self._server.close()
        self._server.close_clients()
        await self._server.wait_closed()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            head = await reader.readuntil(b"\r\n\r\n")
            self.requests.append(head.partition(b"\r\n")[0].decode())
            if length := re.search(rb"(?i)content-length: (\d+)", head):
                await reader.readexactly(int(length[1]))
            writer.write(self.reply.encoded())
            while self.reply.endless:
                writer.write(b" " * 65536)
                await writer.drain()
            await writer.drain()
        writer.close()
