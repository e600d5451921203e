"""Playlists that many get alike: made once for all who have the right, and for nobody else."""

import random
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx2
import pytest

from app.media import bodies
from tests.playback.endpoints import Endpoint, open_endpoint
from tests.support.domain_setup import ALICE, BOB, CAROL, DAVE, GENERAL, MALLORY, MOD, Setup, newcomers

pytestmark = pytest.mark.anyio
MANY = 100
STEPS = 25
PEOPLE: list[tuple[UUID | None, str]] = [
    (ALICE, "user"),
    (BOB, "user"),
    (CAROL, "user"),
    (MALLORY, "user"),
    (MOD, "moderator"),
    (None, "anonymous"),
]


@pytest.fixture
async def endpoint(on: Setup) -> AsyncIterator[Endpoint]:
    async with open_endpoint(on) as ready:
        yield ready


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Each body that is made, and whether it is an update."""
    told, make = list[bool](), bodies.text

    def counted(*given: Any, update: bool) -> bytes:
        told.append(update)
        return make(*given, update=update)

    monkeypatch.setattr(bodies, "text", counted)
    return told


@pytest.mark.parametrize("visibility", ["public", "channel_members"])
async def test_many_with_a_name_get_what_was_made_once(endpoint: Endpoint, made: list[bool], visibility: str) -> None:
    live = endpoint.live
    await live.show(visibility)
    prefix = await live.part(0, 100)
    links = [endpoint.playback_url(who) for who in await newcomers(live.on, MANY)]
    for many, suffix in ((1, ""), (2, "?_HLS_skip=YES")):
        told = {(await endpoint.http.get(link + suffix)).content for link in links}
        assert (len(told), len(made)) == (1, many)
    assert made == [False, True]
    await live.grow(prefix, 101)
    assert len({(await endpoint.http.get(link)).content for link in links}) == 1
    assert made == [False, True, False]


async def test_each_asks_for_segments_in_the_own_name(endpoint: Endpoint) -> None:
    """Whose link it is stands in the address alone: who loses the right loses the segments too, and nobody else does."""
    live = endpoint.live
    await live.part(0, 2)
    told = {who: names(await as_read(endpoint, endpoint.playback_url(who))) for who in (BOB, CAROL)}
    for who, found in told.items():
        assert found == [f"http://rtc.example{endpoint.link(who)}/0/segment_0000{number}.ts" for number in (0, 1)]
    await live.ban(BOB)
    answers = {who: (await endpoint.http.get(found[1])).status_code for who, found in told.items()}
    assert answers == {BOB: 404, CAROL: 302}
    assert (await endpoint.http.get(endpoint.playback_url(BOB))).status_code == 404


async def test_only_playlists_go_on_behind_the_token(endpoint: Endpoint) -> None:
    await endpoint.live.part(0, 2)
    link = endpoint.playback_url()
    for other in (link.replace("/stream/", "/recording/"), link.replace("/stream/", "/unknown/"), link.replace("index", "other")):
        assert (await endpoint.http.get(other)).status_code == 404
    unsigned = f"{endpoint.unsigned}/index.m3u8"
    assert (await endpoint.http.get(unsigned)).status_code == 404
    await endpoint.live.show("public")
    assert (await endpoint.http.get(unsigned)).text == (await endpoint.http.get(link)).text


async def as_read(endpoint: Endpoint, link: str) -> list[str] | None:
    """The playlist with its names as a player reads them; None for whoever is refused."""
    answer = await endpoint.http.get(link)
    if answer.status_code == 404:
        return None
    assert answer.status_code == 200, answer.text
    here = httpx2.URL(f"http://rtc.example{link}")
    return [line if line.startswith("#") else str(here.join(line)) for line in answer.text.splitlines()]


def names(playlist: list[str] | None) -> list[str]:
    return [line for line in playlist or () if not line.startswith("#")]


@pytest.mark.parametrize("seed", range(3))
async def test_what_is_shared_is_what_each_would_get_alone(endpoint: Endpoint, seed: int) -> None:
    """Whatever happens to the stream and to people's rights, in any order, and whoever asked before."""
    dice, live = random.Random(seed), endpoint.live  # noqa: S311 - no secret
    database, segments, index = live.on.database, 1, 0
    prefix = await live.part(0, segments)
    for _ in range(STEPS):
        match dice.choice(["show", "invite", "ban", "lift", "leave", "come", "grow", "next"]):
            case "show":
                await live.show(dice.choice(["public", "channel_members", "invite_only"]))
            case "invite":
                await database.execute("DELETE FROM nchat_stream_invites")
                await live.invite(dice.choice([BOB, CAROL, DAVE, MALLORY]))
            case "ban":
                await database.execute("UPDATE nchat_stream_bans SET lifted_at = now()")
                await live.ban(dice.choice([BOB, CAROL, MALLORY]))
            case "lift":
                await database.execute("UPDATE nchat_stream_bans SET lifted_at = now()")
            case "leave":
                await database.execute("DELETE FROM nchat_channel_members WHERE user_id = $1", dice.choice([BOB, CAROL]))
            case "come":
                join = "INSERT INTO nchat_channel_members (channel_id, user_id) VALUES ($1, $2) ON CONFLICT DO NOTHING"
                await database.execute(join, GENERAL, dice.choice([BOB, CAROL]))
            case "grow":
                segments += 1
                await live.grow(prefix, segments)
            case "next":
                await database.execute("UPDATE nchat_call_recording_parts SET status = 'ready', closed_at = now()")
                index, segments = index + 1, 1
                prefix = await live.part(index, segments)
        live.on.clock.advance(2)
        who, role = dice.choice(PEOPLE)
        async with open_endpoint(live.on, live) as alone:
            for suffix in ("", "?_HLS_skip=YES"):
                expected = await as_read(alone, alone.link(who, role) + suffix)
                assert await as_read(endpoint, endpoint.playback_url(who, role) + suffix) == expected
