"""`nchat-rtc sockets list | close`: who listens to the service, in all of its processes."""

import argparse
import asyncio
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from app.cli.given_settings import settings_or_refuse
from app.cli.refusal import Refusal
from app.cli.told_by_dev.facts import facts_file
from app.sockets.asking import ProcessAnswer, ask
from app.sockets.orders import BROKEN
from app.startup import sentence

NOT_ALL: Final = 3
_HEAD: Final = ("PROCESS", "USER", "ROLE", "PROTOCOL", "SINCE", "OPERATIONS", "ADDRESS")
_NAMES: Final = tuple(name.lower() for name in _HEAD)


def run(arguments: argparse.Namespace) -> int:
    """Prints what the processes answer; 0 when all did, 3 when one did not. Refuses where none takes orders."""
    if not arguments.wait > 0:
        raise Refusal("--wait must be more than 0 seconds")
    url = settings_or_refuse(facts_file()).database_url.get_secret_value()
    try:
        answers = asyncio.run(ask(url, arguments.deed, arguments.user, arguments.wait))
    except BROKEN as error:
        raise Refusal(sentence(error)) from None
    except ValueError as error:
        raise Refusal(f"--user: {error}") from None
    if not answers:
        raise Refusal("no process of the service is connected to the database of NCHAT_DATABASE_URL by that role: are these its settings?")
    if arguments.json:
        print(json.dumps(_as_json(answers)))
    else:
        show(answers, arguments.deed, arguments.wait)
    return 0 if all(answer.done is not None for answer in answers) else NOT_ALL


def _as_json(answers: Sequence[ProcessAnswer]) -> dict[str, Any]:
    processes = [{"process": answer.process, "answered": answer.done is not None, "sockets": answer.done} for answer in answers]
    return {"processes": processes, "sockets": [dict(zip(_NAMES, row, strict=True)) for row in _rows(answers)]}


def _rows(answers: Sequence[ProcessAnswer]) -> Iterator[tuple[str | int | None, ...]]:
    for answer in answers:
        for facts in answer.sockets:
            since = datetime.fromtimestamp(facts.since, UTC).isoformat(timespec="seconds")
            yield answer.process, facts.user, facts.role, facts.protocol, since, facts.operations, facts.address


def show(answers: Sequence[ProcessAnswer], deed: str, wait: float) -> None:
    """Prints them for people: a table of the sockets, and a line about each process."""
    if any(answer.sockets for answer in answers):
        _show_table([_HEAD, *([_text(cell) for cell in row] for row in _rows(answers))])
    for answer in answers:
        print(f"{_text(answer.process)}: {_said(answer, deed, wait)}")


def _show_table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _text(cell: str | int | None) -> str:
    """What a token holds must not move the cursor of a terminal."""
    return "-" if cell is None else "".join(letter if letter.isprintable() else "?" for letter in str(cell))


def _said(answer: ProcessAnswer, deed: str, wait: float) -> str:
    if answer.done is not None:
        sockets = "1 socket" if answer.done == 1 else f"{answer.done} sockets"
        return f"{sockets} closed" if deed == "close" else sockets
    if answer.gone:
        return "ended, or lost PostgreSQL, before it answered"
    return f"did not answer within {wait:g} s"
