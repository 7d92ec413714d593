"""A server on a loopback port, to be cut off and brought back."""

import asyncio
from contextlib import suppress
from typing import Self

from tests.support.framing import HandshakeRefusedError
from tests.support.pace import patience


class LoopbackServer:
    """Serves each connection in a task of its own; subclasses say how."""

    def __init__(self) -> None:
        """Prepare; `port` is chosen at the first start and kept."""
        self.port = 0
        self.accepted = 0
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(
            self._on_connection, "127.0.0.1", self.port
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut every connection, as a power cut would."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for task, writer in tuple(self._connections.items()):
            writer.transport.abort()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def wait_until_left(self, within: float = 1.0) -> None:
        """Wait until no client is connected; raise TimeoutError if a client stays."""
        async with asyncio.timeout(patience(within)):
            while self._connections:
                await asyncio.sleep(0.01)

    async def wait_until_joined(self, within: float = 4.0) -> None:
        """Wait until a client is connected; TimeoutError if none comes."""
        async with asyncio.timeout(patience(within)):
            while not self._connections:
                await asyncio.sleep(0.01)

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve a connection until its end."""
        raise NotImplementedError

    async def _on_connection(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.accepted += 1
        self._connections[task] = writer
        try:
            with suppress(EOFError, OSError, HandshakeRefusedError):
                await self.serve(reader, writer)
        finally:
            del self._connections[task]
            writer.close()

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self.stop()


class SilentServer(LoopbackServer):
    """Accepts connections and never says a word."""

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Swallow the connection's bytes."""
        await reader.read()


class WebServer(LoopbackServer):
    """Answers every request as a web server answers an unknown protocol."""

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Refuse the first bytes."""
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
        await writer.drain()
