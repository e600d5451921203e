"""The packages of the clients, at the versions of the lock."""

import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
INSTALL = ("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=15000")
INSTALL_SECONDS = 90


@pytest.fixture(scope="session")
def packages() -> Path:
    """The folder with `node_modules`, which stay for the next time."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node or npm on this machine: `apt-get install nodejs npm`")
    lock, installed = FOLDER / "package-lock.json", FOLDER / "node_modules" / ".installed.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        why = _install()
        if why is not None:
            pytest.skip(f"the clients' packages can't be had: {why}")
        installed.write_bytes(lock.read_bytes())
    return FOLDER


def _install() -> str | None:
    """Why it can't be done, None when it was."""
    try:
        subprocess.run(INSTALL, cwd=FOLDER, check=True, capture_output=True, text=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        return f"nothing after {INSTALL_SECONDS} s"
    except subprocess.CalledProcessError as failed:
        return str(failed.stderr).partition("\n")[0]
    return None
