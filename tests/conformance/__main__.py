"""`make conformance`: every file of cases beside this one against an embedded PostgreSQL; arguments go to the runner."""

import subprocess
import sys
import tempfile
from pathlib import Path

from devstack.postgres import EmbeddedPostgres

HERE = Path(__file__).resolve().parent
SERVE = "nchat-rtc serve --metadata {metadata} --database-url {database_url} --port {port}"


def main() -> int:
    """0 when every case holds."""
    serve = str(Path(sys.executable).with_name("nchat-rtc")) + SERVE.removeprefix("nchat-rtc")
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder), durable=False)
        url = server.start()
        try:
            command = [sys.executable, str(HERE / "run.py"), "--postgres", url, "--serve", serve, *sys.argv[1:]]
            failed = [file.name for file in sorted(HERE.glob("*.yaml")) if _run([*command, str(file)], file)]
        finally:
            server.stop()
    print(f"with failures: {', '.join(failed)}" if failed else "all hold")
    return bool(failed)


def _run(command: list[str], file: Path) -> int:
    print(f"{file.name}:", flush=True)
    return subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main())
