"""A real Prometheus on a loopback port of its own."""

import asyncio
import os
from pathlib import Path
import shutil
import subprocess
from types import TracebackType
from typing import Any, Self

from aiohttp import ClientError, ClientSession
import yaml

from tests.support.pace import patience

PACKAGE = "prometheus"
FETCHED = Path(__file__).parents[2] / ".build" / "prometheus"
FETCHING = 120.0
STARTING = 20.0


class UnobtainableError(Exception):
    """There is no Prometheus on this machine, and none could be fetched."""


def program() -> Path:
    """Return the path of Prometheus: installed, or unpacked from Debian's package.

    Nothing is installed; the package is fetched once. Raises UnobtainableError, which
    says why there is none.
    """
    if installed := shutil.which("prometheus"):
        return Path(installed)
    unpacked = FETCHED / "usr" / "bin" / "prometheus"
    if unpacked.exists():
        return unpacked
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise UnobtainableError("prometheus is not installed, and apt-get neither")
    # A process of its own may fetch it at the same time.
    folder = FETCHED.with_name(f"prometheus.{os.getpid()}")
    folder.mkdir(parents=True)
    try:
        subprocess.run(
            ["apt-get", "download", PACKAGE],
            cwd=folder,
            check=True,
            capture_output=True,
            text=True,
            timeout=FETCHING,
        )
        (package,) = folder.glob("*.deb")
        subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
        package.unlink()
        if not unpacked.exists():
            folder.rename(FETCHED)
    except subprocess.TimeoutExpired:
        raise UnobtainableError(
            f"{PACKAGE} was not there in {FETCHING:.0f} s"
        ) from None
    except subprocess.CalledProcessError as error:
        told = (error.stderr or str(error)).strip().splitlines()[-1]
        raise UnobtainableError(f"{PACKAGE} cannot be fetched: {told}") from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return unpacked


class Prometheus:
    """A Prometheus server with a folder and a port of its own, within its context."""

    def __init__(
        self, session: ClientSession, folder: Path, port: int, config: dict[str, Any]
    ) -> None:
        """Prepare the server with the content of its configuration file."""
        self._session = session
        self._folder = folder
        self._port = port
        self._url = f"http://127.0.0.1:{port}"
        self._config = folder / "prometheus.yml"
        self._config.write_text(yaml.safe_dump(config))
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        """Start the server and wait until Prometheus is ready."""
        self._process = await asyncio.create_subprocess_exec(
            program(),
            f"--config.file={self._config}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{self._port}",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            async with asyncio.timeout(patience(STARTING)):
                while not await self._is_ready():
                    await asyncio.sleep(0.05)
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop the server."""
        await self._stop()

    async def query(self, expression: str) -> list[float]:
        """Return the present values of an expression, a value for each series."""
        async with self._session.get(
            f"{self._url}/api/v1/query", params={"query": expression}
        ) as response:
            answer = await response.json()
        assert answer["status"] == "success", answer
        return [float(series["value"][1]) for series in answer["data"]["result"]]

    async def _is_ready(self) -> bool:
        try:
            async with self._session.get(f"{self._url}/-/ready") as response:
                return response.status == 200
        except ClientError:
            return False

    async def _stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
