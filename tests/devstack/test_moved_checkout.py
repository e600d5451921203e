"""`make` in a checkout that was moved, copied or half set up: it sets itself up again and never runs the code of another place."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.development import ROOT

# The first test of a worker sets a checkout up from nothing, if need be with a download of uv.
pytestmark = pytest.mark.timeout(180)

# What a build of the project needs is enough of the pinned packages; all of them take ten times as long and show no more.
FEW = ("editables", "hatchling", "packaging", "pathspec", "pluggy", "trove-classifiers")
ANEW = "Making .venv anew: it was moved or half made or is of another Python …\n"


class Checkout:
    """The tracked files in a folder of their own, with whatever `make` has made of them there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def ready(self) -> Path:
        return self.folder / ".venv" / ".ready"

    @property
    def python(self) -> Path:
        return self.folder / ".venv" / "bin" / "python"

    @property
    def uv(self) -> Path:
        return self.folder / ".boot" / "bin" / "uv"

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """`make` with these arguments, as from a terminal: nothing of the `make` and the .venv that run the tests is in its environment."""
        bare = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS", "UV_", "VIRTUAL_ENV"))}
        cache = (f"UV_CACHE_DIR={os.environ['UV_CACHE_DIR']}",) if "UV_CACHE_DIR" in os.environ else ()
        return subprocess.Popen(
            ("make", *cache, *arguments), cwd=self.folder, env=bare, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def make(self, *arguments: str) -> str:
        """What it says; AssertionError when it fails."""
        process = self.start(*arguments)
        told, _ = process.communicate(timeout=150)
        assert process.returncode == 0, told
        return told

    def move(self, folder: Path) -> None:
        self.folder = self.folder.rename(folder)

    def copy(self, folder: Path) -> "Checkout":
        return Checkout(Path(shutil.copytree(self.folder, folder, symlinks=True)))

    def works(self) -> bool:
        """Whether the command runs, and runs the code of this place wherever it is called from."""
        version = self._run(self.python.with_name("nchat-rtc"), "--version")
        code = self._run(self.python, "-c", "import app, packaging; print(app.__file__)")
        return version.startswith("nchat-rtc ") and code == f"{self.folder}/app/__init__.py\n"

    def _run(self, *command: str | Path) -> str:
        bare = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        return subprocess.run(command, cwd="/", env=bare, check=True, capture_output=True, text=True, timeout=60).stdout


@pytest.fixture(scope="module")
def only_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """One checkout for all tests, which move and break it in turn; a uv that is here already comes along."""
    folder = tmp_path_factory.mktemp("checkouts") / "first place"
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    requirements = folder / "requirements-dev.txt"
    entries = re.split(r"^(?=\S)", requirements.read_text(), flags=re.MULTILINE)
    requirements.write_text("".join(entry for entry in entries if entry.startswith(tuple(f"{name}==" for name in FEW))))
    if (ROOT / ".boot").exists():
        shutil.copytree(ROOT / ".boot", folder / ".boot", symlinks=True, ignore=shutil.ignore_patterns("cache"))
    checkout = Checkout(folder)
    yield checkout
    shutil.rmtree(checkout.folder)


@pytest.fixture
def checkout(only_one: Checkout) -> Checkout:
    """Set up, whatever the test before left of it."""
    only_one.make("setup")
    return only_one


def test_a_setup_that_is_good_stays_and_needs_no_python(checkout: Checkout) -> None:
    made = checkout.ready.stat().st_mtime_ns
    assert checkout.make("setup", "PYTHON=false") == ""
    assert checkout.ready.stat().st_mtime_ns == made
    assert checkout.works()


def test_a_moved_checkout_sets_itself_up_again(checkout: Checkout) -> None:
    checkout.move(checkout.folder.with_name("second place"))
    assert "make run" in checkout.make("help")
    assert checkout.make("setup") == ANEW
    assert checkout.works()
    assert checkout.make("setup") == ""
    scripts = [path.read_text() for path in checkout.python.parent.iterdir() if path.is_file() and path.read_bytes().startswith(b"#!")]
    assert scripts
    assert not any("first place" in script for script in scripts)


def test_a_copied_checkout_runs_its_own_code_and_leaves_the_first_alone(checkout: Checkout) -> None:
    twin = checkout.copy(checkout.folder.with_name("twin"))
    try:
        assert twin.make("setup") == ANEW
        assert twin.works()
        assert checkout.make("setup") == ""
        assert checkout.works()
    finally:
        shutil.rmtree(twin.folder)


def lose_the_interpreter(checkout: Checkout) -> None:
    checkout.python.unlink()
    checkout.python.symlink_to("/nowhere/bin/python3")


def get_another_interpreter(checkout: Checkout) -> None:
    """As when the system's python3 becomes another version."""
    other = shutil.which("true")
    assert other is not None
    checkout.python.unlink()
    checkout.python.symlink_to(other)


def stop_half_way(checkout: Checkout) -> None:
    """As an installation that was killed: a package is registered and not all there."""
    checkout.ready.unlink()
    shutil.rmtree(next(checkout.folder.glob(".venv/lib/*/site-packages/packaging")))


def have_nothing_but_the_mark(checkout: Checkout) -> None:
    shutil.rmtree(checkout.folder / ".venv" / "bin")


@pytest.mark.parametrize("damage", [lose_the_interpreter, get_another_interpreter, stop_half_way, have_nothing_but_the_mark])
def test_a_broken_environment_is_made_anew(checkout: Checkout, damage: Callable[[Checkout], None]) -> None:
    damage(checkout)
    assert checkout.make("setup") == ANEW
    assert checkout.works()


def test_a_python_that_is_too_old_is_refused_before_anything_is_touched(checkout: Checkout) -> None:
    made_for = checkout.ready.read_text()
    checkout.ready.write_text("somewhere else\n")
    process = checkout.start("setup", "PYTHON=false")
    told, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert told.startswith("false is no Python 3.11 or newer. Name one that is: PYTHON=python3.12 make …\n")
    checkout.ready.write_text(made_for)
    assert checkout.works()


def test_a_uv_that_does_not_run_is_fetched_again_when_it_is_needed(checkout: Checkout) -> None:
    whole = checkout.uv.read_bytes()
    checkout.uv.write_bytes(whole[:100_000])
    assert checkout.make("setup") == ""
    (checkout.folder / "requirements-dev.txt").touch()
    assert "rm -rf .boot" in checkout.make("--dry-run", "setup")
    checkout.uv.write_bytes(whole)
    assert "rm -rf .boot" not in checkout.make("--dry-run", "setup")


def test_two_at_once_make_one_environment(checkout: Checkout) -> None:
    shutil.rmtree(checkout.folder / ".venv")
    both = [checkout.start("setup") for _ in range(2)]
    told = [process.communicate(timeout=150)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], told
    assert sorted(told) == ["", "Installing the pinned dependencies into .venv, once …\n"]
    assert checkout.works()
