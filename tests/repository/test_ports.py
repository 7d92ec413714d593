"""Give side-by-side tests different ports."""

import socket
import subprocess
import sys

import pytest

from nrj_tools import ROOT
from nrj_tools.ports import PORTS, free_port

pytestmark = pytest.mark.usefixtures("socket_enabled")

ANOTHER = "from nrj_tools.ports import free_port; print(free_port())"


def test_no_port_is_given_twice() -> None:
    """Give no port twice, neither in this process nor to another meanwhile."""
    given = {free_port() for _ in range(5)}
    assert len(given) == 5
    assert all(port in PORTS for port in given)
    others = {
        int(
            subprocess.run(
                [sys.executable, "-c", ANOTHER],
                env={"PYTHONPATH": str(ROOT / "scripts")},
                capture_output=True,
                check=True,
            ).stdout
        )
        for _ in range(2)
    }
    assert not given & others


def test_a_port_in_use_is_passed_over() -> None:
    """Pass over a port in use by a program without the locks."""
    with socket.socket() as taken:
        port = free_port() + 1
        taken.bind(("127.0.0.1", port))
        assert free_port() != port
