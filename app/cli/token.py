"""`nchat-rtc token`: a token for one user, on stdout and nowhere else."""

import argparse
import asyncio
from uuid import UUID

import asyncpg

from app.auth.token_signing import TokenSigner
from app.cli.given_settings import settings_or_refuse
from app.cli.refusal import Refusal
from app.cli.told_by_dev.facts import facts_file
from app.settings import ConfigurationError


def run(arguments: argparse.Namespace) -> int:
    """Prints the token; refuses an unknown user name, a token life below one second, or settings that can't sign."""
    if arguments.ttl < 1:
        raise Refusal("--ttl must be at least 1 second")
    settings = settings_or_refuse(facts_file())
    try:
        signer = TokenSigner.of(settings.jwt_secret)
    except ConfigurationError as error:
        raise Refusal(str(error)) from None
    user_id = _as_id(arguments.user) or asyncio.run(_look_up(settings.database_url.get_secret_value(), arguments.user))
    print(signer.sign(user_id, arguments.role, ttl=arguments.ttl))
    return 0


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


async def _look_up(database_url: str, username: str) -> UUID:
    try:
        connection = await asyncpg.connect(database_url, timeout=5)
    except (OSError, asyncpg.PostgresError, ValueError) as error:
        raise Refusal(f"the database does not answer ({type(error).__name__}): give the user's id, or start `make run`") from None
    try:
        found = await connection.fetchval("select id from nchat_users where username = $1", username)
    except asyncpg.UndefinedTableError:
        raise Refusal("the database has no users: run `nchat-rtc migrate`") from None
    finally:
        await connection.close()
    if found is None:
        raise Refusal(f"no user is named {username!r}")
    return UUID(str(found))
