"""`nchat-rtc restored`: the database is that of a backup, and clients have seen what it does not hold."""

import argparse
import asyncio

import asyncpg

from app.cli.given_settings import settings_or_refuse
from app.cli.refusal import Refusal
from app.startup import sentence

MARK = "UPDATE nchat_history SET mark = gen_random_uuid(), restored_at = now() RETURNING 1"
NO_MARK = "The database has no history of its own yet: run `nchat-rtc migrate` first. Nothing was changed."


def run(arguments: argparse.Namespace) -> int:
    """Begins another history: every subscriber is told within two seconds, and whoever resumes with a cursor of before as well."""
    settings = settings_or_refuse(database_url=arguments.database_url)
    asyncio.run(_mark(settings.database_url.get_secret_value()))
    print("This is another history now: subscribers are told, and cursors of before are refused.")
    return 0


async def _mark(url: str) -> None:
    try:
        connection = await asyncpg.connect(url, timeout=5)
    except (OSError, asyncpg.PostgresError, ValueError) as error:
        raise Refusal(sentence(error)) from None
    try:
        if await connection.fetchval(MARK) is None:
            raise Refusal(NO_MARK)
    except asyncpg.UndefinedTableError:
        raise Refusal(NO_MARK) from None
    finally:
        await connection.close()
