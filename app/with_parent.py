"""Runs a program that the kernel ends with its parent: `python with_parent.py SIGNAL PARENT USER PROGRAM ARGUMENT…` (USER may be empty).

A program of its own instead of subprocess's `preexec_fn`: Python that runs between fork and exec in a process with threads (LiveKit's, a
pool's) can wait for ever for a lock that one of them held at the fork, and the parent waits with it.
"""

import ctypes
import os
import pwd
import sys
from collections.abc import Sequence
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def with_parent(command: Sequence[str | os.PathLike[str]], death_signal: int, *, user: str | None = None) -> list[str]:
    """The command line that runs `command`, as `user` if named, until it ends or the kernel ends it with the thread that started it."""
    # No site, no environment: a start of it costs 15 ms.
    launcher = [sys.executable, "-I", "-S", __file__]
    return [*launcher, str(int(death_signal)), str(os.getpid()), user or "", *(os.fspath(part) for part in command)]


def die_with_parent(signum: int, parent: int) -> None:
    """The kernel sends `signum` to this process when the thread of `parent` that started it ends (Linux; elsewhere nothing is asked)."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signum)
    if os.getppid() != parent:  # it died before the kernel knew of our wish
        os.kill(os.getpid(), signum)


def become(user: str) -> None:
    """This user from now on, with that user's own group alone."""
    known = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(known.pw_gid)
    os.setuid(known.pw_uid)


def main(signum: str, parent: str, user: str, *command: str) -> None:
    """Becomes the program; ends with a sentence when there is none."""
    if user:
        become(user)
    die_with_parent(int(signum), int(parent))  # after the user: with other rights the kernel forgets the wish
    try:
        os.execvp(command[0], command)  # noqa: S606
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
