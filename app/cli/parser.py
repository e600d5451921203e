"""What can be typed. Each command's code is imported only when it runs, so that `token` need not load the service."""

import argparse
import importlib
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from app.cli.refusal import Refusal
from app.telemetry.version import VERSION

_ANSWERS = "Exit code 0: every process answered. 3: one of them did not, which is named. 1: PostgreSQL, or nobody at all, answers."
_EPILOG = "Settings come from the environment (NCHAT_…); docs/operations.md lists them all."


def parser() -> argparse.ArgumentParser:
    """The parser; `run` of its result takes the parsed arguments and returns an exit code."""
    root = argparse.ArgumentParser(prog="nchat-rtc", description="Voice and video calls for nchat over GraphQL.", epilog=_EPILOG)
    root.add_argument("--version", action="version", version=f"%(prog)s {VERSION}")
    commands = root.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (_serve, _dev, _token, _migrate, _restored, _keys, _recordings, _sockets, _status):
        add(commands)
    return root


Commands = argparse._SubParsersAction  # the only name argparse has for it


def _command(commands: "Commands[argparse.ArgumentParser]", name: str, help_text: str, description: str) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help_text, description=description, epilog=_EPILOG)
    command.set_defaults(run=_lazily(f"app.cli.{name}"))
    return command


def _lazily(module: str) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        return int(importlib.import_module(module).run(arguments))

    return run


def _with_development_extra(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    def checked(arguments: argparse.Namespace) -> int:
        if find_spec("psutil") is None:
            raise Refusal(
                "`dev` needs what a deployment does not install: use `make run` in a checkout, or install this project's extra `dev`"
            )
        return run(arguments)

    return checked


def _serve(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _command(
        commands,
        "serve",
        "run the service",
        "Runs the service. With --metadata it serves that Hasura metadata over any database, without the call actions.",
    )
    command.add_argument("--host", help="address to listen on (NCHAT_HOST, 127.0.0.1)")
    command.add_argument("--port", type=int, help="port to listen on (NCHAT_PORT, 8000)")
    command.add_argument("--workers", type=int, help="processes behind the port (NCHAT_WORKERS, 1)")
    command.add_argument(
        "--metadata", type=Path, metavar="PATH", help="Hasura metadata, a directory or an exported JSON file, in place of nchat's own"
    )
    command.add_argument("--source", metavar="NAME", help="the source of that metadata (NCHAT_METADATA_SOURCE, the first with tables)")
    command.add_argument("--database-url", metavar="URL", help="PostgreSQL (NCHAT_DATABASE_URL)")


def _dev(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _command(
        commands,
        "dev",
        "run everything on this machine",
        "Starts PostgreSQL, LiveKit and the service with demo data and prints a token for each demo user. Ctrl-C stops it all.",
    )
    command.set_defaults(run=_with_development_extra(_lazily("app.cli.dev")))
    command.add_argument("--simulator", action="store_true", help="the LiveKit simulator even where a real server is; clients can't join")
    command.add_argument("--with-parent", action="store_true", help="stop when the parent process ends, however it ends (Linux)")


def _token(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _command(
        commands, "token", "print a token for a user", "Prints one token for a user and nothing else, signed with NCHAT_JWT_SECRET."
    )
    command.add_argument("--user", required=True, metavar="NAME_OR_ID", help="username or id of a row of nchat_users")
    command.add_argument("--role", default="user", help="the token's only role (user)")
    command.add_argument("--ttl", type=int, default=3600, metavar="SECONDS", help="its life in seconds (3600)")


def _migrate(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _command(commands, "migrate", "bring the database to the newest migration", "Brings the database to the newest migration.")
    command.add_argument("--database-url", metavar="URL", help="PostgreSQL (NCHAT_DATABASE_URL)")


def _restored(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _command(
        commands,
        "restored",
        "say that the database was restored from a backup",
        "Run it after a dump or a snapshot was restored, before clients come back: what they have seen may be missing now, so each "
        "subscriber is told `history-changed` and begins anew. A recovery to a point in time, or a failover, is noticed without it.",
    )
    command.add_argument("--database-url", metavar="URL", help="PostgreSQL (NCHAT_DATABASE_URL)")


def _keys(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _command(
        commands, "keys", "bring secrets at rest under the newest key", "The keys that seal secrets; see `keys rotate --help`."
    )
    deeds = command.add_subparsers(title="what to do", required=True, metavar="WHAT")
    rotate = deeds.add_parser(
        "rotate",
        help="seal every secret at rest anew with the first key of NCHAT_ENCRYPTION_KEYS",
        description="Seals anew, with the first key of NCHAT_ENCRYPTION_KEYS, what another of them sealed: passwords of ICE servers and "
        "stream keys. Restart all processes with the new key in front first, and take the old one away after. 200 rows at a time, beside "
        "the running service; safe to stop and to repeat. Exit code 0: the first key reads everything. 3: some secrets are unreadable, or "
        "were busy. 1: the database does not answer; run it again.",
        epilog=_EPILOG,
    )
    rotate.add_argument("--database-url", metavar="URL", help="PostgreSQL (NCHAT_DATABASE_URL)")


def _recordings(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _command(
        commands,
        "recordings",
        "compare recordings with their store, and set it up",
        "What is done with all recordings at once; see `recordings sweep --help` and `recordings bucket --help`.",
    )
    deeds = command.add_subparsers(title="what to do", required=True, metavar="WHAT")
    sweep = deeds.add_parser(
        "sweep",
        help="find objects without a row and rows without an object, and repair both",
        description="Compares the bucket with the rows: objects that belong to no recording, younger than a day left alone, are deleted; "
        "recordings whose objects are missing say so. Reports first. Exit code 0: nothing is wrong, or all is repaired. "
        "3: --dry-run found something. 1: the store or the database does not answer; run it again.",
        epilog=_EPILOG,
    )
    sweep.set_defaults(run=_lazily("app.cli.recordings.sweep"))
    sweep.add_argument("--dry-run", action="store_true", help="report, and change nothing")
    bucket = deeds.add_parser(
        "bucket",
        help="make the bucket, and set who may read it with scripts and how long half an upload stays",
        description="Makes the bucket of recordings unless it is there, and sets its CORS and the end of half uploads. Safe to repeat. "
        "Exit code 1: the store does not answer, or refuses; it says what.",
        epilog=_EPILOG,
    )
    bucket.set_defaults(run=_lazily("app.cli.recordings.bucket"))


def _sockets(commands: "Commands[argparse.ArgumentParser]") -> None:
    command = _command(
        commands,
        "sockets",
        "list who listens to the service, or close the sockets of a user",
        "Asks all processes of the service on this database, on whatever machine; see `sockets list --help` and `sockets close --help`.",
    )
    deeds = command.add_subparsers(title="what to do", dest="deed", required=True, metavar="WHAT")
    listing = deeds.add_parser(
        "list",
        help="show every open websocket and stream of events",
        description="Shows every open websocket and stream of events: process, user, role, protocol, since when, number of operations, "
        f"client's address. {_ANSWERS}",
        epilog=_EPILOG,
    )
    listing.add_argument("--user", metavar="ID", help="those of this user only")
    closing = deeds.add_parser(
        "close",
        help="end the websockets and streams of events of a user",
        description="Ends every websocket of the user with close code 4403 and every stream of events with the error `closed-by-operator`, "
        "and says how many each process has closed. Clients then ask for a new token and come again: one that is valid lets them in, "
        f"so that whoever is to stay out must get none before. {_ANSWERS}",
        epilog=_EPILOG,
    )
    closing.add_argument("--user", metavar="ID", required=True, help="the user's id (x-hasura-user-id)")
    for deed in (listing, closing):
        deed.add_argument("--json", action="store_true", help="one JSON object: `processes` and `sockets`")
        deed.add_argument("--wait", type=float, default=10.0, metavar="SECONDS", help="for the answers of all processes (10)")


def _status(commands: "Commands[argparse.ArgumentParser]") -> None:
    _command(
        commands,
        "status",
        "say whether the service is ready",
        "Asks the service that runs here for /readyz and says what to do about what is missing. "
        "Exit code 0: ready. 3: degraded, it serves without something. 1: unavailable, or nothing answers.",
    )
