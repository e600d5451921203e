"""The service and the ceiling, each one uvicorn process over the same database."""

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from devstack.ports import free_port

METADATA = Path(__file__).parent / "metadata"
JWT_KEY = "a key of the benchmark, of no use elsewhere"
ADMIN_SECRET = "a secret of the benchmark, of no use elsewhere"  # noqa: S105


@contextmanager
def ceiling(database_url: str) -> Iterator[int]:
    """Hand-written SQL behind Starlette; yields its port."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.ceiling:app", "--port", str(port), "--no-access-log", "--log-level", "warning"]
    with running(command, {"BENCH_DATABASE_URL": database_url}, f"http://127.0.0.1:{port}/v1/graphql"):
        yield port


@contextmanager
def service(database_url: str) -> Iterator[int]:
    """This service over the same database with the same rules; yields its port."""
    port = free_port()
    command = [str(Path(sys.executable).with_name("nchat-rtc")), "serve", "--metadata", str(METADATA), "--database-url", database_url]
    env = {"NCHAT_ADMIN_SECRET": ADMIN_SECRET, "NCHAT_JWT_SECRET": f'{{"type": "HS256", "key": "{JWT_KEY}"}}'}
    with running([*command, "--port", str(port)], env, f"http://127.0.0.1:{port}/healthz"):
        yield port


@contextmanager
def running(command: list[str], env: dict[str, str], url: str) -> Iterator[int]:
    """The process, once it answers there; yields its id."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NCHAT_", "HASURA_GRAPHQL_"))}
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env=kept | env, stdout=log, stderr=log)
        try:
            _wait_until_answering(process, url, log)
            yield process.pid
        finally:
            process.terminate()
            process.wait(20)


def _wait_until_answering(process: subprocess.Popen[bytes], url: str, log: object, seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        try:
            urllib.request.urlopen(url, timeout=1)  # noqa: S310 - our own address
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        if process.poll() is not None:
            log.seek(0)  # type: ignore[attr-defined]
            raise RuntimeError(f"{url} did not start:\n{log.read()}")  # type: ignore[attr-defined]
    raise RuntimeError(f"{url} did not answer within {seconds:.0f} s")
