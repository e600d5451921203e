"""`nchat-rtc dev` (`make run`): PostgreSQL, LiveKit, demo data and the service on this machine, until a signal ends it all."""

import argparse
import asyncio
import errno
import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from app.cli.given_settings import settings_or_refuse
from app.cli.migrate import migrate_or_refuse
from app.cli.refusal import Refusal
from app.cli.told_by_dev.banner import announce_when_ready
from app.cli.told_by_dev.facts import data_directory, facts_of, remove_facts, write_facts
from app.http.console import OfferedUser
from app.server import run_server
from app.settings import Settings
from devstack import ffmpeg, secrets_file
from devstack.demo_data import seed
from devstack.demo_users import DEMO_USERS
from devstack.ports import why_not_bound
from devstack.processes import stop_with_parent
from devstack.secrets_file import SecretsUnreadable
from devstack.stack import LIVEKIT_KEY, NOT_STARTED, Stack


def run(arguments: argparse.Namespace) -> int:
    """Runs until Ctrl-C or SIGTERM (0), or until one of the servers is lost (1). Refuses a busy port before anything starts."""
    began = time.monotonic()
    if arguments.with_parent:
        stop_with_parent()
    ending = _Ending()
    settings = settings_or_refuse()
    _check_port(settings)
    folder = _writable_folder()
    with Stack(folder, os.environ) as stack:
        try:
            settings, told = _prepare(stack, folder, settings, simulator=arguments.simulator)
            stack.watch(ending.server_lost)
            announce_when_ready(settings, told, began)
            run_server(settings, offered_users=[OfferedUser(str(user.id), user.name, user.role, user.note) for user in DEMO_USERS])
        except (*NOT_STARTED, SecretsUnreadable) as error:
            raise Refusal(str(error)) from None
        finally:
            ending.is_here()
    return ending.code


def _check_port(settings: Settings) -> None:
    match why_not_bound(settings.host, settings.port):
        case None:
            return
        case OSError(errno=errno.EADDRINUSE):
            reason = "is in use, perhaps by another `make run`: stop it, or take another"
        case error:
            reason = f"can't be used on {settings.host} ({error.strerror}): take another"
    raise Refusal(f"port {settings.port} {reason}: NCHAT_PORT=8001 make run")


def _writable_folder() -> Path:
    folder = data_directory()
    try:
        folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"?")
    except OSError as error:
        raise Refusal(f"{folder} can't be written ({error.strerror}): name another folder: NCHAT_DATA_DIR=… make run") from None
    return folder


class _Ending:
    """The first signal ends the command wherever it is; from then on signals no longer disturb the orderly stop."""

    def __init__(self) -> None:
        self.code = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop)

    def server_lost(self, name: str) -> None:
        """One of the servers ended by itself: the rest is of no use any more."""
        print(f"nchat-rtc: {name} ended by itself; its log is in {data_directory()}", file=sys.stderr)
        self.code = 1
        os.kill(os.getpid(), signal.SIGTERM)

    def is_here(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)

    def _stop(self, _number: int, _frame: object) -> None:
        # uvicorn takes these signals while it serves and sends them again when it is done: that ends here too.
        raise SystemExit(self.code)


def _prepare(stack: Stack, folder: Path, given: Settings, *, simulator: bool) -> tuple[Settings, list[str]]:
    """Starts the servers, migrates and seeds; the settings of the service and a line about each server."""
    secrets = secrets_file.load_or_create(folder)
    local = f"http://127.0.0.1:{given.port}"
    defaults = {
        "NCHAT_PUBLIC_URL": local,
        "NCHAT_LOG_FORMAT": "console",
        "NCHAT_JWT_SECRET": f'{{"type":"HS256","key":"{secrets.jwt_key}"}}',
        "NCHAT_ADMIN_SECRET": secrets.admin_secret,
        "NCHAT_UNAUTHORIZED_ROLE": "anonymous",
        "NCHAT_ENCRYPTION_KEYS": secrets.encryption_key,
        "NCHAT_LINK_KEY": secrets.link_key,
        "NCHAT_DESTINATIONS_ON_LOOPBACK": "true",
    }
    database_url, about_database = stack.database()
    if database_url is not None:
        defaults["NCHAT_DATABASE_URL"] = database_url
    media = stack.media(api_secret=secrets.livekit_api_secret, store_secret=secrets.store_secret_key, service=local, simulator=simulator)
    if media is not None:
        defaults |= {
            "NCHAT_LIVEKIT_URL": media.url,
            "NCHAT_LIVEKIT_PUBLIC_URL": media.client_url,
            "NCHAT_LIVEKIT_API_KEY": LIVEKIT_KEY,
            "NCHAT_LIVEKIT_API_SECRET": secrets.livekit_api_secret,
        }
        if media.storage is not None:
            defaults |= {
                "NCHAT_S3_ENDPOINT": media.storage.endpoint,
                "NCHAT_S3_ACCESS_KEY": media.storage.access_key,
                "NCHAT_S3_SECRET_KEY": media.storage.secret_key,
                "NCHAT_RECORDING_BUCKET": media.storage.bucket,
                "NCHAT_STREAM_BUCKET": media.storage.bucket,
                "NCHAT_FFMPEG": ffmpeg.program(),
            }
    # Not before the database is ours: until then the file belongs to a run that has it.
    stack.at_end(remove_facts)
    settings = settings_or_refuse(write_facts(defaults))
    write_facts(facts_of(settings))
    url = settings.database_url.get_secret_value()
    migrate_or_refuse(url)
    try:
        asyncio.run(seed(url))
    except DBAPIError as error:
        raise Refusal(f"the demo data can't be written: {error.orig}") from None
    about_media = media.told if media else [f"LiveKit of your environment, {settings.livekit_url}"]
    return settings, [about_database, *about_media]
