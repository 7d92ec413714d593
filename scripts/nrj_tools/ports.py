"""Free and used ports of the loopback, with the programs on used ports."""

from collections.abc import Iterator
from contextlib import suppress
import errno
import fcntl
import os
from pathlib import Path
import socket
import tempfile
from typing import IO

from .errors import ScriptError

LOOPBACK = "127.0.0.1"

TCP_LISTEN = "0A"
"""State of a listening socket in /proc/net/tcp (linux/include/net/tcp_states.h)."""


PORTS = range(10_000, 30_000)
"""Ports below those of outgoing connections, which could take a port in between."""

_reserved: list[IO[bytes]] = []
"""Locks of the ports given to this process, held until the process ends."""


def free_port() -> int:
    """Return a free TCP port of the loopback, reserved for this process.

    Raises:
        ScriptError: no port is free.
    """
    folder = Path(tempfile.gettempdir(), f"nrj-ports-{os.getuid()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    start = os.getpid() * 37 % len(PORTS)
    for step in range(len(PORTS)):
        port = PORTS[(start + step) % len(PORTS)]
        lock = (folder / str(port)).open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.bind((LOOPBACK, port))
        except OSError:
            lock.close()
            continue
        _reserved.append(lock)
        return port
    raise ScriptError(f"No port from {PORTS[0]} to {PORTS[-1]} is free.")


def require_free(port: int, purpose: str, option: str) -> None:
    """Raise ScriptError unless this machine can listen on `port` of the loopback.

    `purpose` names who wants the port, `option` the option that chooses another.
    """
    with socket.socket() as probe:
        # As a server does, so that connections a server before left behind do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError as error:
            if error.errno == errno.EACCES:
                raise ScriptError(
                    f"Port {port} for {purpose} is reserved for the system:"
                    f" choose one above 1023 with '{option} {port + 8000}'."
                ) from error
            user = next(users(port), None)
            by = "" if user is None else f" by {user}"
            raise ScriptError(
                f"Port {port} for {purpose} is already taken{by}:"
                f" stop that, or choose another with '{option} {_next_free(port)}'."
            ) from error


def _next_free(port: int) -> int:
    """Return a free port near `port` to suggest."""
    for candidate in range(port + 1, min(port + 50, 65536)):
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((LOOPBACK, candidate))
            probe.listen()
            return candidate
    return port + 1


def users(port: int) -> Iterator[str]:
    """Yield the processes listening on `port`, as far as visible."""
    sockets = {f"socket:[{inode}]" for inode in _listening_inodes(port)}
    if not sockets:
        return
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if any(
                str(descriptor.readlink()) in sockets
                for descriptor in (process / "fd").iterdir()
            ):
                name = (process / "comm").read_text().strip()
                yield f"'{name}' (process {process.name})"


def _listening_inodes(port: int) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text().splitlines()[1:]:
                _, local, _, state, *_, inode = line.split()[:10]
                if state == TCP_LISTEN and int(local.rpartition(":")[2], 16) == port:
                    yield inode
