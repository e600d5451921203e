"""`nchat-rtc serve`: the service in the foreground until a signal."""

import argparse

from app.cli.given_settings import settings_or_refuse
from app.cli.refusal import Refusal
from app.server import run_server


def run(arguments: argparse.Namespace) -> int:
    """Serves until SIGINT or SIGTERM. Refuses nchat's own API without a secret: every caller would be admin."""
    given = {"host": arguments.host, "port": arguments.port, "workers": arguments.workers, "database_url": arguments.database_url}
    settings = settings_or_refuse(**given, metadata_source=arguments.source)
    if arguments.metadata is not None and not arguments.metadata.exists():
        raise Refusal(f"there is no Hasura metadata at {arguments.metadata}")
    if arguments.metadata is None and settings.is_open:
        raise Refusal("set NCHAT_JWT_SECRET or NCHAT_ADMIN_SECRET: without them every caller would be admin")
    run_server(settings, metadata=arguments.metadata)
    return 0
