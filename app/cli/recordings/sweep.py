"""`nchat-rtc recordings sweep`: the bucket of recordings and the rows about it compared, and brought together."""

import argparse
import asyncio
import sys
from contextlib import AsyncExitStack
from typing import Final

from app.adapters.clock import SystemClock
from app.cli.given_settings import settings_or_refuse
from app.cli.no_hints import NoHints
from app.cli.refusal import Refusal
from app.cli.told_by_dev.facts import facts_file
from app.database.transactions import EngineTransactions, open_engine
from app.settings import Settings
from app.startup import sentence
from app.storage.recording_bucket import store_address
from app.storage.s3_store import open_store
from domain.recording_ports import StorageError
from domain.recordings.retention.sweep import AnotherDatabase, Found, Sweep
from resolvers.sql.database import DatabaseError

# Exit code of a dry run that found something; of a sweep that repaired everything it is 0.
SOMETHING_FOUND: Final = 3


def run(arguments: argparse.Namespace) -> int:
    """Reports on stdout, shows progress on stderr. 0: nothing is wrong, or all is repaired; 3: a dry run found something."""
    settings = settings_or_refuse(facts_file())
    if not settings.has_store:
        raise Refusal("no store of recordings is configured: NCHAT_S3_ENDPOINT, NCHAT_S3_ACCESS_KEY, NCHAT_S3_SECRET_KEY")
    try:
        return asyncio.run(_sweep(settings, dry_run=arguments.dry_run))
    except StorageError as error:
        raise Refusal(f"the store: {error}. Nothing is lost by running it again") from None
    except (OSError, DatabaseError) as error:
        raise Refusal(sentence(error)) from None
    except AnotherDatabase:
        raise Refusal(
            "the database knows no recording of which the bucket has objects: is it the bucket's own? Nothing was deleted"
        ) from None


async def _sweep(settings: Settings, *, dry_run: bool) -> int:
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(open_store(store_address(settings)))
        engine = await stack.enter_async_context(open_engine(settings.database_url.get_secret_value(), pool_size=2))
        sweep = Sweep(EngineTransactions(engine, NoHints()), store, SystemClock(), _show)
        found = await sweep.look()
        _end_progress()
        _report(found)
        if dry_run or found.clean:
            return SOMETHING_FOUND if not found.clean else 0
        await sweep.repair(found)
        _end_progress()
        print(f"{found.deleted} objects deleted, {found.repaired} recordings repaired.")
    return 0


def _show(found: Found) -> None:
    seen = f"\r{found.objects} objects looked at, {found.stray} without a row; {found.rows} recordings, {len(found.bare)} without an object"
    print(f"{seen}; {found.deleted} deleted, {found.repaired} repaired", end="", file=sys.stderr, flush=True)


def _end_progress() -> None:
    print(file=sys.stderr)


def _report(found: Found) -> None:
    print(f"{found.objects} objects: {found.stray} without a row ({found.stray_bytes} bytes), {found.young} more too young to say.")
    print(f"{found.rows} ready recordings: {len(found.bare)} whose objects are missing.")
    words = {"media": "all of its media", "file": "its file", "part": "the media of some of its parts"}
    for bare in found.bare:
        print(f"  {bare.id} lacks {words[bare.lacks]}")
