"""The packages of the clients, at the versions of the lock."""

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
INSTALL = ("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder with `node_modules`, which stay for the next time."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node or npm on this machine: `apt-get install nodejs npm`")
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".installed.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        done = subprocess.run(INSTALL, cwd=FOLDER, capture_output=True, text=True, timeout=100)
        if done.returncode:
            pytest.skip(f"the clients' packages can't be had: {done.stderr[-200:]}")
        installed.write_bytes(lock.read_bytes())
    return FOLDER
