"""`nchat-rtc recordings bucket`: the buckets of recordings and streams are there, and have their rules."""

import argparse
import asyncio

from app.cli.given_settings import settings_or_refuse
from app.cli.refusal import Refusal
from app.cli.told_by_dev.facts import facts_file
from app.settings import Settings
from app.storage.recording_bucket import store_address
from app.storage.s3_store import open_store
from domain.recording_ports import StorageError


def run(_arguments: argparse.Namespace) -> int:
    """Safe to repeat. A Refusal says what the store refused, or that it does not answer."""
    settings = settings_or_refuse(facts_file())
    if not settings.has_store:
        raise Refusal("no store of recordings is configured: NCHAT_S3_ENDPOINT, NCHAT_S3_ACCESS_KEY, NCHAT_S3_SECRET_KEY")
    try:
        prepared = asyncio.run(_prepare(settings))
    except StorageError as error:
        raise Refusal(f"the store: {error}") from None
    for bucket, made in prepared.items():
        print(f"The bucket {bucket} {'was made' if made else 'was there'} and has its rules.")
    return 0


async def _prepare(settings: Settings) -> dict[str, bool]:
    """Whether each was made."""
    buckets = dict.fromkeys([settings.recording_bucket, *([settings.stream_bucket] if settings.streaming_enabled else [])])
    async with open_store(store_address(settings)) as store:
        return {bucket: await store.of(bucket).prepare_bucket() for bucket in buckets}
