"""A real MQTT broker on a loopback port of its own, and somebody who publishes."""

from pathlib import Path
import shutil
import socket
import subprocess
import time
from typing import Self

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

STARTS_WITHIN = 10.0


class Broker:
    """Mosquitto, started in a folder, with the same port at every start."""

    def __init__(self, folder: Path, port: int) -> None:
        """Prepare a broker on `port`."""
        self.port = port
        self._config = folder / "mosquitto.conf"
        self._config.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
        self._process: subprocess.Popen[bytes] | None = None

    @staticmethod
    def program() -> str | None:
        """Return the path of an installed Mosquitto, or None."""
        return shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin")

    def start(self) -> None:
        """Start Mosquitto and wait for its first answer."""
        program = self.program()
        assert program is not None
        self._process = subprocess.Popen(
            [program, "-c", self._config],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port), 0.2).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise TimeoutError("Mosquitto does not answer")

    def stop(self) -> None:
        """Stop Mosquitto."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> Self:
        """Start Mosquitto."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop Mosquitto."""
        self.stop()


class Publisher:
    """A meter's side of the broker."""

    def __init__(self, port: int) -> None:
        """Connect to the broker on `port`."""
        self._client = Client(CallbackAPIVersion.VERSION2)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def publish(
        self, topic: str, payload: bytes | str, *, retain: bool = False
    ) -> None:
        """Publish a message."""
        self._client.publish(topic, payload, retain=retain)

    def close(self) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()
