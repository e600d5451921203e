"""A real livekit-server in `.tools/`, built once from its published module with Go's own client (`make livekit`)."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

VERSION = "v1.13.5"
MODULE = "github.com/livekit/livekit-server/cmd/server"
GO_NEEDED = (1, 26)
TARGET = Path(__file__).resolve().parent.parent / ".tools" / "livekit-server"


class CannotBuild(Exception):
    """livekit-server can't be built here; the text says why and what else works."""


def build() -> Path:
    """Installs the pinned version and returns the binary's path. Raises CannotBuild; never fetches another Go."""
    _require_go()
    print(f"Building livekit-server {VERSION} with Go, once (one to five minutes) …", file=sys.stderr, flush=True)
    TARGET.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=TARGET.parent) as bin_folder:
        env = {**os.environ, "GOBIN": bin_folder, "GOTOOLCHAIN": "local"}
        done = subprocess.run(["go", "install", f"{MODULE}@{VERSION}"], env=env, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise CannotBuild("`go install` failed (its words stand above)")
        # The module's main package is called `server`; a rename within the folder is atomic.
        (Path(bin_folder) / "server").replace(TARGET)
    print(f"{TARGET} is there.", file=sys.stderr)
    return TARGET


def build_or_say_why_not() -> Path | None:
    """As `build`, but a reason against it is printed and the answer is None."""
    try:
        return build()
    except CannotBuild as reason:
        print(f"livekit-server can't be built: {reason}", file=sys.stderr)
        return None


def can_build() -> bool:
    """Whether a Go that is new enough is installed."""
    try:
        _require_go()
    except CannotBuild:
        return False
    return True


def _require_go() -> None:
    if shutil.which("go") is None:
        raise CannotBuild("Go is not installed: install Go 1.26, or put a livekit-server in PATH or .tools/")
    env = {**os.environ, "GOTOOLCHAIN": "local"}
    told = subprocess.run(["go", "version"], env=env, capture_output=True, text=True).stdout
    found = re.search(r"go(\d+)\.(\d+)", told)
    if found is None or (int(found[1]), int(found[2])) < GO_NEEDED:
        raise CannotBuild(f"Go 1.26 or newer is needed, here is: {told.strip() or 'no answer'}")


def main() -> int:
    """`make livekit`: 0 when the binary is there afterwards, 1 with a sentence when it can't be built."""
    if os.access(TARGET, os.X_OK) and VERSION.removeprefix("v") in _version(TARGET):
        print(f"{TARGET} is version {VERSION} already.")
        return 0
    return 0 if build_or_say_why_not() else 1


def _version(binary: Path) -> str:
    return subprocess.run([binary, "--version"], capture_output=True, text=True).stdout


if __name__ == "__main__":
    sys.exit(main())
