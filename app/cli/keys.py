"""`nchat-rtc keys rotate`: every secret at rest under the newest key, so that older keys can be taken away."""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from typing import Final

from app.adapters.encryption import Encryption
from app.cli.given_settings import settings_or_refuse
from app.cli.no_hints import NoHints
from app.cli.refusal import Refusal
from app.cli.told_by_dev.facts import facts_file
from app.database.transactions import EngineTransactions, open_engine
from app.settings import Settings
from app.startup import sentence
from domain.sealing.rotation import Rotated, Rotation
from resolvers.sql.database import DatabaseError

# Exit code when something still needs an older key, or none of ours reads it.
SOMETHING_LEFT: Final = 3
# Rows that are named; of more the number says enough.
NAMED: Final = 20


def run(arguments: argparse.Namespace) -> int:
    """Reports on stdout, shows progress on stderr. 0: the first key alone reads everything; 3: it does not."""
    settings = settings_or_refuse(facts_file(), database_url=arguments.database_url)
    if not settings.encryption_keys:
        raise Refusal("NCHAT_ENCRYPTION_KEYS is not set: there is no key to seal with. Nothing was changed")
    try:
        done = asyncio.run(_rotate(settings))
    except (OSError, DatabaseError) as error:
        raise Refusal(f"{sentence(error)}. What was sealed anew stays so; run it again") from None
    _report(done)
    return 0 if all(rotated.whole for rotated in done) else SOMETHING_LEFT


async def _rotate(settings: Settings) -> Sequence[Rotated]:
    sealer = Encryption([key.get_secret_value() for key in settings.encryption_keys])
    async with open_engine(settings.database_url.get_secret_value(), pool_size=2) as engine:
        return await Rotation(EngineTransactions(engine, NoHints()), sealer, _show).run()


def _show(rotated: Rotated) -> None:
    seen = rotated.resealed + rotated.current + rotated.busy + len(rotated.unreadable)
    print(f"\r{rotated.name}: {seen} looked at, {rotated.resealed} sealed anew", end="", file=sys.stderr, flush=True)


def _report(done: Sequence[Rotated]) -> None:
    print(file=sys.stderr)
    for rotated in done:
        unreadable, busy = len(rotated.unreadable), f", {rotated.busy} busy: run it again" if rotated.busy else ""
        print(f"{rotated.name}: {rotated.resealed} sealed anew, {rotated.current} were already, {unreadable} unreadable{busy}")
        for key in rotated.unreadable[:NAMED]:
            print(f"  {key} was sealed with a key that NCHAT_ENCRYPTION_KEYS does not have")
        if unreadable > NAMED:
            print(f"  and {unreadable - NAMED} more")
    if all(rotated.whole for rotated in done):
        print("The first key reads everything: the others can be taken from NCHAT_ENCRYPTION_KEYS.")
