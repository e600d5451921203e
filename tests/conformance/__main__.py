"""`make conformance`: the cases of the first slice (or those named on the command line) against an embedded PostgreSQL."""

import subprocess
import sys
import tempfile
from pathlib import Path

from devstack.postgres import EmbeddedPostgres

HERE = Path(__file__).resolve().parent
SERVE = "nchat-rtc serve --metadata {metadata} --database-url {database_url} --port {port}"


def main() -> int:
    """The runner's exit code: 0 when every case holds. Arguments go to the runner; without any, the first slice is run."""
    names = "|".join((HERE / "first_slice.txt").read_text().split())
    chosen = sys.argv[1:] or ["--only", f"^({names})$"]
    serve = str(Path(sys.executable).with_name("nchat-rtc")) + SERVE.removeprefix("nchat-rtc")
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder), durable=False)
        url = server.start()
        try:
            command = [sys.executable, str(HERE / "run.py"), "--postgres", url, "--serve", serve, *chosen, str(HERE / "hasura_cases.yaml")]
            return subprocess.run(command).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
