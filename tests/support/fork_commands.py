"""`nchat-rtc` commands as forks of one process that has imported everything and made the product's schemas, over the database that it
is given: `python -m tests.support.fork_commands DATABASE_URL`. It says `ready` when it is.

One JSON line on stdin runs one, `{"arguments", "environment", "output"}`; its process id comes back as a line. Who ends, and when, the
asker sees by itself.
"""

import os
import signal
import sys

import orjson

import app.asgi
import app.product
import app.server
from app.cli import main
from tests.support.kept_schemas import make_schemas


def run(arguments: list[str], environment: dict[str, str], output: str) -> int:
    """The command's exit code; it writes to the file `output` alone."""
    log = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(log, stream)
    os.environ.clear()
    os.environ.update(environment)
    return main(arguments)


def serve_orders() -> None:
    """Until stdin ends."""
    assert app.server and app.asgi and app.product
    make_schemas(sys.argv[1])
    os.write(1, b"ready\n")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while line := sys.stdin.readline():
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            sys.stdin.close()
            sys.exit(run(**orjson.loads(line)))
        os.write(1, b"%d\n" % pid)


if __name__ == "__main__":
    serve_orders()
