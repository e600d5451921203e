"""Plays the demo against the `nchat-rtc dev` that runs in this checkout; exit code 0 only if everything happened."""

import asyncio
import os
import sys
from collections.abc import Sequence

import httpx2
from livekit import rtc

from app.auth.token_signing import TokenSigner
from app.cli.given_settings import settings_or_refuse
from app.cli.refusal import Refusal
from app.cli.told_by_dev.facts import facts_file
from app.settings import Settings
from devstack.demo.person import DemoPerson
from devstack.demo.recorded_objects import RecordedObjects
from devstack.demo.recording_story import RecordingStory
from devstack.demo.service import DemoService, Refused
from devstack.demo.story import Story
from devstack.demo_users import DEMO_USERS

TONES = {"alice": 440.0, "bob": 880.0, "carol": 1320.0}


async def play(settings: Settings) -> int:
    """The number of events that came, in order and without a gap, of two calls; raises on anything missing."""
    signer = TokenSigner.of(settings.jwt_secret)
    people = [DemoPerson(u.name, str(u.id), signer.sign(u.id, u.role, ttl=600), TONES[u.name]) for u in DEMO_USERS if u.name in TONES]
    async with httpx2.AsyncClient(timeout=30) as http:
        admin_secret = settings.admin_secret.get_secret_value() if settings.admin_secret else ""
        service = DemoService(f"http://127.0.0.1:{settings.port}", http, admin_secret)
        events = await _play(Story(service, *people), people)
        if not settings.records:
            print("\n  LiveKit is the simulator: nothing is recorded")
            return events
        alice, bob, _ = people
        return events + await _play(RecordingStory(service, alice, bob, RecordedObjects(settings)), people)


async def _play(story: Story | RecordingStory, people: Sequence[DemoPerson]) -> int:
    """Whatever comes of it, everybody leaves."""
    try:
        feed = await story.play()
    finally:
        for person in people:
            await person.leave()
    await feed.stop()
    return feed.last


def main() -> int:
    try:
        settings = settings_or_refuse(facts_file())
        if not facts_file().exists():
            raise Refusal("nothing runs here: start `make run` in another terminal first")
    except Refusal as refusal:
        print(f"demo: {refusal}", file=sys.stderr)
        return 2
    try:
        events = asyncio.run(play(settings))
    except (httpx2.ConnectError, ConnectionRefusedError):
        print(f"demo: nothing answers at port {settings.port}: start `make run` in another terminal first", file=sys.stderr)
        return 2
    except (AssertionError, Refused, OSError, httpx2.HTTPError, rtc.ConnectError) as error:
        print(f"\ndemo FAILED: {error}", file=sys.stderr)
        return 1
    heard = "three people in a real room, every tone heard; a recording played, paused, downloaded and gone"
    print(f"\ndemo ok: {events} events, in order, without a gap; {heard}")
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # LiveKit's own threads may still call into Python: one that does so while the interpreter ends aborts the process.
    os._exit(code)
