"""A firmware that runs on this computer, without a password, is reached from nowhere else."""

from ipaddress import ip_address
import os
from pathlib import Path
import socket

from firmware_tests.conftest import RunMeter
from firmware_tests.guarded_plug import GuardedPlugs
from nrj_tools.firmware import RunningFirmware
from tests.support.listening import Addresses, beyond_loopback, listening_addresses

LOOPBACK = {ip_address("127.0.0.1")}
EVERYWHERE = {ip_address("0.0.0.0")}


def listening(firmware: RunningFirmware) -> Addresses:
    """Return the addresses at which a running meter listens, by port."""
    assert firmware.process is not None
    return listening_addresses(firmware.process.pid)


def test_the_simulated_meter_listens_on_loopback_only(run_meter: RunMeter) -> None:
    """Open the native API at the loopback address, and nothing else."""
    firmware = run_meter()
    assert listening(firmware) == {firmware.port: LOOPBACK}


def test_the_simulated_meter_can_be_opened_to_others(run_meter: RunMeter) -> None:
    """Open the native API to every computer where somebody asks for it."""
    firmware = run_meter(NRJ_LISTEN="all")
    assert listening(firmware) == {firmware.port: EVERYWHERE}


def test_a_plug_under_test_takes_updates_from_this_computer_only(
    guarded_plugs: GuardedPlugs, tmp_path: Path
) -> None:
    """Open neither the native API nor the update port, which has no password, to others."""
    program = guarded_plugs.programs[""]
    with RunningFirmware(program, tmp_path, guarded_plugs.port) as firmware:
        assert listening(firmware) == {
            guarded_plugs.port: LOOPBACK,
            guarded_plugs.update_port: LOOPBACK,
        }


def test_a_socket_open_to_others_is_found() -> None:
    """Find what these tests look for, of both families."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with socket.socket(family) as server:
            server.bind(("", 0))
            server.listen()
            port = server.getsockname()[1]
            assert any(f"port {port}" in at for at in beyond_loopback([os.getpid()]))
        with socket.socket(family) as server:
            server.bind(("127.0.0.1" if family is socket.AF_INET else "::1", 0))
            server.listen()
            assert beyond_loopback([os.getpid()]) == set()
