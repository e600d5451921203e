"""`nchat-rtc migrate`: the database at the newest migration."""

import argparse

import migrations
from app.cli.refusal import settings_or_refuse


def run(arguments: argparse.Namespace) -> int:
    """Runs the migrations that are still missing; safe to repeat."""
    settings = settings_or_refuse(database_url=arguments.database_url)
    migrations.upgrade(settings.database_url.get_secret_value())
    print("The database is at the newest migration.")
    return 0
