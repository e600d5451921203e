"""Whoever starts a stream is told where it is watched."""

from dataclasses import replace

import pytest

from app.media.links import link_additions
from app.settings import Settings
from domain.streams.actions.start import start_stream
from permissions.session import USER_ID, Session
from tests.streams.life.staged_stream import plan_stream
from tests.support.domain_setup import ALICE, Setup

pytestmark = pytest.mark.anyio


async def test_where_it_is_watched(on: Setup) -> None:
    base = "https://rtc.example/calls"
    settings = Settings(public_url=base, link_key="a secret of this test, of no use elsewhere")
    host = Session("user", {"x-hasura-role": "user", USER_ID: str(ALICE)}, additions=link_additions(settings))
    stream = await plan_stream(on)
    assert (await stream.row())["hls_url"] is None
    told = (await start_stream(replace(on.world, public_url=base), host, stream.id)).addresses
    assert (told.hls_url, told.dash_url) == (f"{base}/media/stream/{stream.id}/public.m3u8", None)
    assert told.embed_code is not None and told.embed_code.startswith(f'<iframe src="{base}/embed/{stream.id}" ')
    assert (await stream.row())["hls_url"] == told.hls_url
