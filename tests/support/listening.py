"""Read from the kernel at which addresses a process listens."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
import sys

PROCESSES = Path("/proc")

LISTEN = "0A"
"""State of a TCP socket that waits for connections, from the kernel's tcp_states.h."""


type Addresses = dict[int, set[IPv4Address | IPv6Address]]
"""Addresses by port."""


def listening_addresses(process: int) -> Addresses:
    """Return the addresses at which a process takes TCP connections, by port."""
    own = set(_sockets(process))
    found: Addresses = {}
    for table in ("tcp", "tcp6"):
        lines = (PROCESSES / str(process) / "net" / table).read_text().splitlines()[1:]
        for line in lines:
            local, state, inode = (line.split()[column] for column in (1, 3, 9))
            if state == LISTEN and inode in own:
                address, _, port = local.partition(":")
                found.setdefault(int(port, 16), set()).add(_address(address))
    return found


def beyond_loopback(processes: Iterable[int]) -> set[str]:
    """Return where processes can be reached from another computer: process, address and port."""
    return {
        f"process {process}: {address} port {port}"
        for process in processes
        for port, addresses in listening_addresses(process).items()
        for address in addresses
        if not address.is_loopback
    }


def _sockets(process: int) -> Iterator[str]:
    """Yield the inodes of a process's sockets."""
    for descriptor in (PROCESSES / str(process) / "fd").iterdir():
        target = ""
        with suppress(FileNotFoundError):  # closed meanwhile
            target = str(descriptor.readlink())
        if target.startswith("socket:["):
            yield target.removeprefix("socket:[").removesuffix("]")


def _address(text: str) -> IPv4Address | IPv6Address:
    """Return an address from the kernel's words of 32 bits in this machine's byte order."""
    words = [int(text[at : at + 8], 16) for at in range(0, len(text), 8)]
    return ip_address(b"".join(word.to_bytes(4, sys.byteorder) for word in words))
