"""`python -m devstack.store --folder FOLDER --port 9000`, with NCHAT_STORE_ACCESS_KEY and NCHAT_STORE_SECRET_KEY set."""

import argparse
import os
from pathlib import Path

import uvicorn

from devstack.store.server import application
from devstack.store.signatures import Keys


def main() -> None:
    """Serves one store on 127.0.0.1 until a signal."""
    parser = argparse.ArgumentParser(prog="store", description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--port", type=int, default=9000)
    parser.add_argument("--bucket", help="is made at start where it is not there")
    arguments = parser.parse_args()
    keys = Keys(os.environ["NCHAT_STORE_ACCESS_KEY"], os.environ["NCHAT_STORE_SECRET_KEY"])
    app = application(arguments.folder, keys, bucket=arguments.bucket)
    uvicorn.run(app, host="127.0.0.1", port=arguments.port, log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
