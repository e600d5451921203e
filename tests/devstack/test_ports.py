"""Ports are given in turn to all processes of a user: two servers that are bound later never have the same."""

import os
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

from devstack import ports
from devstack.ports import PORTS, free_port, turns_file

CHOOSERS, DRAWS = 6, 150
CHOOSER = f"from devstack.ports import free_port; input(); print(*(free_port() for _ in range({DRAWS})))"


@pytest.fixture(autouse=True)
def turns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for temporary files of the test's own, where nobody drew yet."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return turns_file()


def test_processes_that_choose_at_once_are_never_given_the_same(tmp_path: Path) -> None:
    choosers = [
        subprocess.Popen(
            [sys.executable, "-c", CHOOSER],
            env=os.environ | {"TMPDIR": str(tmp_path)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(CHOOSERS)
    ]
    # All have started before the first goes on.
    for chooser in choosers:
        assert chooser.stdin
        chooser.stdin.write("\n")
    drawn = [[int(port) for port in chooser.communicate()[0].split()] for chooser in choosers]

    assert [len(ports) for ports in drawn] == [DRAWS] * CHOOSERS
    assert len({port for ports in drawn for port in ports}) == CHOOSERS * DRAWS


def test_each_is_given_once_before_the_first_comes_again(monkeypatch: pytest.MonkeyPatch) -> None:
    few = range(PORTS.start, PORTS.start + 50)
    monkeypatch.setattr(ports, "PORTS", few)
    given = [free_port() for _ in few]
    # Those that a server of this machine has are left out, and the first come again for them.
    found = set(given)
    assert len(found) > 25
    assert found <= set(few)
    assert len(set(given[: len(found)])) == len(found)


def test_what_cannot_be_bound_is_passed_over(turns: Path) -> None:
    first = free_port()
    with ExitStack() as servers:
        busy = [servers.enter_context(socket.create_server(("127.0.0.1", free_port()))).getsockname()[1] for _ in range(4)]
        turns.write_text(f"{first}\n")
        assert free_port() not in busy
        turns.write_text(f"{first}\n")
        assert free_port(socket.SOCK_DGRAM) in busy


def test_when_all_are_taken_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", port := free_port())):
        monkeypatch.setattr(ports, "PORTS", range(port, port + 1))
        with pytest.raises(OSError, match="every port"):
            free_port()


@pytest.mark.parametrize("text", ["", "nonsense\n", "80\n", "\0\0\0"])
def test_a_file_that_says_nothing_begins_anywhere(turns: Path, text: str) -> None:
    begun = set()
    for _ in range(5):
        turns.write_text(text)
        begun.add(free_port())
    assert len(begun) > 1
    assert begun <= set(PORTS)


def test_the_file_is_its_owners_alone(turns: Path) -> None:
    free_port()
    assert turns.stat().st_mode & 0o777 == 0o600


def test_a_link_or_a_pipe_in_its_place_is_refused(turns: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "of somebody else"
    elsewhere.write_text("kept")
    turns.symlink_to(elsewhere)
    with pytest.raises(OSError, match=turns.name):
        free_port()
    assert elsewhere.read_text() == "kept"
    turns.unlink()

    os.mkfifo(turns)
    with pytest.raises(PermissionError, match="not a file of ours"):
        free_port()
