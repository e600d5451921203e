"""Packages of npm's at the versions of a lock, fetched when a test needs them; none of them is ours to keep."""

import shutil
import subprocess
from pathlib import Path

import pytest

INSTALL = ("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--fetch-retries=1", "--fetch-timeout=15000")
INSTALL_SECONDS = 90


def installed(folder: Path, seconds: int = INSTALL_SECONDS) -> Path:
    """The folder with `node_modules`, which stay for the next time; skips the test where they can't be had."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("no node or npm on this machine: `apt-get install nodejs npm`")
    lock, installed = folder / "package-lock.json", folder / "node_modules" / ".installed.json"
    if not installed.exists() or installed.read_bytes() != lock.read_bytes():
        why = _install(folder, seconds)
        if why is not None:
            pytest.skip(f"the clients' packages can't be had: {why}")
        installed.write_bytes(lock.read_bytes())
    return folder


def _install(folder: Path, seconds: int) -> str | None:
    """Why it can't be done, None when it was."""
    try:
        subprocess.run(INSTALL, cwd=folder, check=True, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return f"nothing after {seconds} s"
    except subprocess.CalledProcessError as failed:
        return str(failed.stderr).partition("\n")[0]
    return None
