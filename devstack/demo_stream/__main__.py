"""Plays the demo against the `nchat-rtc dev` that runs in this checkout; exit code 0 only if everything happened."""

import asyncio
import sys
import time
from contextlib import AsyncExitStack
from urllib.parse import urlsplit

import httpx2
from playwright.async_api import Error as BrowserError

from app.auth.token_signing import TokenSigner
from app.cli.given_settings import settings_or_refuse
from app.cli.refusal import Refusal
from app.cli.told_by_dev.facts import facts_file
from app.settings import Settings
from devstack.demo.service import DemoService, Refused
from devstack.demo_stream import programs
from devstack.demo_stream.cinema import cinema
from devstack.demo_stream.platform import platform
from devstack.demo_stream.stage import Person, Stage
from devstack.demo_stream.story import StreamStory
from devstack.demo_users import DEMO_USERS

TOKEN_LIFE = 3600


async def play(settings: Settings, chromium: str) -> None:
    """Raises on anything missing."""
    signer = TokenSigner.of(settings.jwt_secret)
    people = {u.name: Person(u.name, str(u.id), signer.sign(u.id, u.role, ttl=TOKEN_LIFE)) for u in DEMO_USERS}
    url = f"http://127.0.0.1:{settings.port}"
    async with AsyncExitStack() as stack:
        http = await stack.enter_async_context(httpx2.AsyncClient(timeout=30))
        platforms = (await stack.enter_async_context(platform()), await stack.enter_async_context(platform()))
        screens = await stack.enter_async_context(cinema(chromium, url))
        stage = Stage(DemoService(url, http, ""), people, *screens, platforms)
        await StreamStory(stage, _addresses(settings, url)).play()


def _addresses(settings: Settings, url: str) -> set[str]:
    """Of the service, of the store, and of a CDN if there is one."""
    given = (url, settings.public_url, settings.s3_public_endpoint or settings.s3_endpoint, settings.stream_cdn_url)
    return {urlsplit(str(one)).netloc for one in given if one is not None}


def _settings_and_chromium() -> tuple[Settings, str]:
    """Refuses with a sentence for each thing that is missing."""
    lacking, chromium = programs.missing(), programs.chromium()
    if lacking or chromium is None:
        raise Refusal("; ".join(lacking))
    settings = settings_or_refuse(facts_file())
    if not facts_file().exists():
        raise Refusal("nothing runs here: start `make run` in another terminal first")
    if not settings.records:
        raise Refusal("LiveKit is the simulator: nothing can be streamed. `make livekit` builds the real one")
    return settings, chromium


def main() -> int:
    began = time.monotonic()
    try:
        settings, chromium = _settings_and_chromium()
        asyncio.run(play(settings, chromium))
    except Refusal as refusal:
        print(f"demo-stream: {refusal}", file=sys.stderr)
        return 2
    except (httpx2.ConnectError, ConnectionRefusedError):
        print("demo-stream: the service does not answer: start `make run` in another terminal first", file=sys.stderr)
        return 2
    except (AssertionError, Refused, OSError, httpx2.HTTPError, BrowserError) as error:
        print(f"\ndemo-stream FAILED: {error}", file=sys.stderr)
        return 1
    done = "sent by ffmpeg, watched live and afterwards in Chromium, moderated, sent on, cut and recorded"
    print(f"\ndemo-stream ok after {time.monotonic() - began:.0f} s: a stream was {done}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
