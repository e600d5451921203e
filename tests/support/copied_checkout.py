"""A copy of the checkout that a test may change, run with the environment that runs the tests."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
# What belongs to the run that this test is part of, and settings, which no command of the copy may need.
OURS = ("PYTEST_", "MAKE", "MFLAGS", "COV_", "NCHAT_", "HASURA_GRAPHQL_", "LIVEKIT_", "DATABASE_URL", "REDIS_URL")


@dataclass(frozen=True, slots=True)
class CopiedCheckout:
    """The files that git knows, as they stand now, and no environment of its own."""

    root: Path

    @classmethod
    def at(cls, root: Path) -> "CopiedCheckout":
        """With what is new and not yet committed."""
        listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, root / name)
        return cls(root)

    def remember_types(self) -> None:
        """Takes over what mypy knows of this checkout, if it has seen it: what has not changed is not checked again."""
        if (ROOT / ".mypy_cache").is_dir():
            shutil.copytree(ROOT / ".mypy_cache", self.root / ".mypy_cache")

    @property
    def environment(self) -> dict[str, str]:
        """Ours, where modules come from the copy."""
        return {name: value for name, value in os.environ.items() if not name.startswith(OURS)} | {"PYTHONPATH": str(self.root)}

    def make(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`make` as in the checkout, its environment taken as it is."""
        return self._run("make", "--no-print-directory", "--assume-old=setup", f"BIN={BIN}", *arguments)

    def python(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self._run(sys.executable, *arguments)

    def start_python(self, *arguments: str) -> "subprocess.Popen[str]":
        """Goes on beside the test, which writes to it and reads from it."""
        command = [sys.executable, *arguments]
        return subprocess.Popen(
            command, cwd=self.root, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def _run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(command, cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
