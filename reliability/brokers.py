"""Real brokers on this machine, each in a folder of its own, for as long as they are needed."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from mailcore._closing import Closing

__all__ = ["BROKERS", "Broker", "find"]

LOCALHOST = "127.0.0.1"
#: Seconds a broker may take to answer at first; RabbitMQ takes most of them.
PATIENCE = 60.0
#: Where Debian keeps them: the `rabbitmq-server` in everybody's path changes the user.
PLACES = "/usr/lib/rabbitmq/bin:/usr/sbin"


def find(program: str) -> str | None:
    """Return the path of a program; None where it is not installed."""
    return shutil.which(program, path=f"{PLACES}:{os.environ.get('PATH', '')}")


def _free_ports(number: int) -> list[int]:
    sockets = [socket.create_server((LOCALHOST, 0)) for _ in range(number)]
    ports = [int(made.getsockname()[1]) for made in sockets]
    for made in sockets:
        made.close()
    return ports


class Broker(Closing):
    """
    Run a broker until closed; also a context manager.

    Attributes:
        name: `redis` or `rabbitmq`.
        url: As Celery wants it.
    """

    def __init__(
        self,
        name: str,
        url: str,
        command: Sequence[str],
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        answers: Callable[[], bool],
        afterwards: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.url = url
        self._environment = {**os.environ, **(environment or {})}
        self._afterwards = afterwards
        self._log = (folder / f"{name}.log").open("wb")
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=self._environment,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            self._wait(answers)
        except BaseException:
            self.close()
            raise

    def _wait(self, answers: Callable[[], bool]) -> None:
        until = time.monotonic() + PATIENCE
        while not answers():
            if self._process.poll() is not None or time.monotonic() > until:
                said = Path(self._log.name).read_text(encoding="utf-8", errors="replace")
                raise RuntimeError(f"{self.name} did not start: {said[-1000:]}")
            time.sleep(0.05)

    def close(self) -> None:
        """Stop it, and all it started."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
        if self._afterwards:
            subprocess.run(self._afterwards, env=self._environment, stdout=self._log, check=False)
        self._log.close()


def _says(port: int, question: bytes, answer: bytes) -> bool:
    try:
        with socket.create_connection((LOCALHOST, port), timeout=2) as sock:
            sock.sendall(question)
            return sock.recv(len(answer)) == answer
    except OSError:
        return False


def _redis(folder: Path) -> Broker:
    (port,) = _free_ports(1)
    command = [
        find("redis-server") or "redis-server",
        *("--bind", LOCALHOST, "--port", str(port), "--dir", str(folder)),
        *("--save", "", "--appendonly", "no"),
    ]
    return Broker(
        "redis",
        f"redis://{LOCALHOST}:{port}/0",
        command,
        folder,
        answers=lambda: _says(port, b"PING\r\n", b"+PONG"),
    )


def _rabbitmq(folder: Path) -> Broker:
    port, between_nodes, mapper = _free_ports(3)
    (folder / "plugins").write_text("[].", encoding="utf-8")
    (folder / "rabbitmq.conf").write_text(
        f"listeners.tcp.default = {LOCALHOST}:{port}\ndisk_free_limit.absolute = 50MB\n", encoding="utf-8"
    )
    environment = {
        "HOME": str(folder),  # of the cookie that nodes know each other by
        "ERL_EPMD_ADDRESS": LOCALHOST,
        "ERL_EPMD_PORT": str(mapper),
        "RABBITMQ_NODENAME": f"mailcore-{port}@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": LOCALHOST,
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(between_nodes),
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1}",
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "log"),
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }
    server = find("rabbitmq-server") or "rabbitmq-server"
    return Broker(
        "rabbitmq",
        f"amqp://guest:guest@{LOCALHOST}:{port}//",
        [server],
        folder,
        environment=environment,
        answers=lambda: _says(port, b"AMQP\x00\x00\x09\x01", b"\x01"),
        afterwards=[find("epmd") or "epmd", "-kill"],  # it outlives its node
    )


#: Name → the program it needs, and what starts it in a folder.
BROKERS: Mapping[str, tuple[str, Callable[[Path], Broker]]] = {
    "redis": ("redis-server", _redis),
    "rabbitmq": ("rabbitmq-server", _rabbitmq),
}
