"""
Measure the replay stores: bytes that a remembered delivery takes, and deliveries remembered in a second.

    python benchmarks/replay_stores.py
    python benchmarks/replay_stores.py --deliveries 10000

Each delivery is claimed and committed by one thread, one after the other. `redis-server` is started where it
is installed, and keeps nothing on disk. Bytes are what the store has grown by: of this process, of the file,
of the server.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis

from mailcore import MemoryReplayStore, ReplayStore
from mailcore.stores.redis import RedisReplayStore
from mailcore.stores.sqlite import SqliteReplayStore

WEEK = 604800.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).strip().splitlines()[0])
    parser.add_argument("--deliveries", type=int, default=100_000, help="how many (default: 100000)")
    count: int = parser.parse_args().deliveries
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report("MemoryReplayStore", MemoryReplayStore(), count, memory)
        with SqliteReplayStore(folder / "claims.sqlite") as file:
            report("SqliteReplayStore", file, count, lambda: size(folder))
        program = shutil.which("redis-server")
        if program is not None:
            with server(program, folder) as client:
                store = RedisReplayStore(client)
                report("RedisReplayStore", store, count, lambda: int(client.info("memory")["used_memory"]))


def report(name: str, store: ReplayStore, count: int, used: Callable[[], int]) -> None:
    """Measure one store, and print a line."""
    fill(store, 1)  # what it needs once: a table, a script
    before, begin = used(), time.perf_counter()
    fill(store, count, start=1)
    seconds = time.perf_counter() - begin
    print(f"{name:20}{(used() - before) / count:8.0f} bytes each {count / seconds:10.0f} a second")


def fill(store: ReplayStore, count: int, *, start: int = 0) -> None:
    """Remember deliveries, under keys as a receiver makes them."""
    for number in range(start, start + count):
        key = f"mailpace:tracking:{hashlib.sha256(str(number).encode()).hexdigest()}"
        store.claim(key, WEEK)
        store.commit(key)


def memory() -> int:
    """Return the most bytes that this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def size(folder: Path) -> int:
    """Return the bytes of all files."""
    return sum(path.stat().st_size for path in folder.iterdir())


@contextmanager
def server(program: str, folder: Path) -> Iterator[redis.Redis]:
    """Start a Redis that listens at a socket in a folder."""
    socket = folder / "redis.sock"
    options = ["--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(folder)]
    with subprocess.Popen([program, *options], stdout=subprocess.DEVNULL) as process:
        client = redis.Redis(unix_socket_path=str(socket))
        try:
            while not socket.exists():
                time.sleep(0.01)
            yield client
        finally:
            client.close()
            process.terminate()


if __name__ == "__main__":
    main()
