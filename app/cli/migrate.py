"""`nchat-rtc migrate`: the database at the newest migration."""

import argparse

import asyncpg
from alembic.script.revision import ResolutionError
from alembic.util import CommandError
from sqlalchemy.exc import DBAPIError

import migrations
from app.cli.given_settings import settings_or_refuse
from app.cli.refusal import Refusal
from app.startup import NEWER_DATABASE, sentence


def run(arguments: argparse.Namespace) -> int:
    """Runs the migrations that are still missing; safe to repeat."""
    settings = settings_or_refuse(database_url=arguments.database_url)
    migrate_or_refuse(settings.database_url.get_secret_value())
    print("The database is at the newest migration.")
    return 0


def migrate_or_refuse(url: str) -> None:
    """The database at the newest migration, or a Refusal when it can't be reached, refuses, or is newer than this version."""
    try:
        migrations.upgrade(url)
    except OSError as error:
        raise Refusal(sentence(error)) from None
    except DBAPIError as error:
        cause = error.orig.__cause__ if error.orig else None
        if not isinstance(cause, asyncpg.PostgresError):
            raise
        raise Refusal(f"{sentence(cause)}\nNothing was changed.") from None
    except CommandError as error:
        if not isinstance(error.__cause__, ResolutionError):
            raise
        raise Refusal(NEWER_DATABASE) from None
