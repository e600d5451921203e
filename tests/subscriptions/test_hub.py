"""Hubs: a hint reaches every follower of its topic, in this process and in others, with a broker that comes and goes."""

import asyncio
import time
from pathlib import Path
from statistics import median

import pytest
from redis.asyncio import Redis

from app.hints import BroadcastHub, open_hub
from app.hints.hub import hub_over
from app.hints.redis_backend import RedisBackend
from domain.hub import Following
from domain.ports import Hint
from tests.support.valkey import broker
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

# Longer than any of these tests may take: a follower that returns then has not heard.
LONG = 30.0


@pytest.fixture(params=["memory", "redis"])
def broker_url(request: pytest.FixtureRequest) -> str | None:
    return request.getfixturevalue("redis_url") if request.param == "redis" else None


async def heard(following: Following, within: float) -> bool:
    """Whether a hint came before the time was over."""
    began = time.monotonic()
    await following.changed(within)
    return time.monotonic() - began < within


async def test_many_hints_are_one_reason_to_look(broker_url: str | None) -> None:
    async with open_hub(broker_url) as hub:
        await connected(hub)
        async with hub.follow(["a", "b"]) as following:
            for _ in range(50):
                await hub.publish([Hint("a", 1), Hint("b"), Hint("c")])
            assert await heard(following, LONG)
            while await heard(following, 0.3):
                pass
            await hub.publish([Hint("c")])
            assert not await heard(following, 0.3)
            await hub.publish([Hint("b")])
            assert await heard(following, LONG)


async def test_a_hint_between_two_waits_is_heard_at_once(broker_url: str | None) -> None:
    async with open_hub(broker_url) as hub, hub.follow(["a"]) as following, hub.follow(["a"]) as other:
        await hub.publish([Hint("a")])
        assert await heard(other, LONG)
        assert await heard(following, LONG)


async def test_a_hint_of_another_process_arrives_within_a_fifth_of_a_second(redis_url: str) -> None:
    async with open_hub(redis_url) as here, open_hub(redis_url) as there:
        await connected(here, there)
        took = list[float]()
        for number in range(20):
            async with here.follow([f"call:{number}"]) as following:
                began = time.monotonic()
                await there.publish([Hint(f"call:{number}")])
                await following.changed(LONG)
                took.append(time.monotonic() - began)
    # As a rule: whoever else is busy on the machine may keep one of them waiting.
    assert median(took) < 0.2, took


async def connected(*hubs: BroadcastHub) -> None:
    async def all_are() -> bool:
        return all(hub.connected for hub in hubs)

    await eventually(all_are)


async def test_the_broker_is_killed_and_started_again(tmp_path: Path) -> None:
    with broker(tmp_path) as redis:
        async with open_hub(redis.url) as here, open_hub(redis.url) as there, here.follow(["a", "b"]) as following:
            for _ in range(3):
                await connected(here, there)
                await there.publish([Hint("a")])
                assert await heard(following, LONG)
                redis.kill()
                await disconnected(here, there)
                await during_the_outage(here, there)
                redis.start()
                await connected(here, there)
                # What passed unheard is unknown, so everyone looks.
                assert await heard(following, LONG)
                while await heard(following, 0.3):
                    pass


async def during_the_outage(here: BroadcastHub, there: BroadcastHub) -> None:
    """Following and publishing go on at once; within the process hints arrive."""
    began = time.monotonic()
    async with here.follow(["local"]) as local, here.follow(["more"]):
        await there.publish([Hint("local")])
        await here.publish([Hint(topic) for topic in ("local", "a", "x")])
        assert await heard(local, LONG)
    assert time.monotonic() - began < 1


async def disconnected(*hubs: BroadcastHub) -> None:
    async def all_are() -> bool:
        return not any(hub.connected for hub in hubs)

    await eventually(all_are)


async def test_a_publisher_whose_connection_is_cut_sends_again(redis_url: str) -> None:
    async with open_hub(redis_url) as here, open_hub(redis_url) as there, Redis.from_url(redis_url) as admin:
        await connected(here, there)
        async with here.follow(["a"]) as following:
            for _ in range(5):
                await there.publish([Hint("a")])
                assert await heard(following, LONG)
                await admin.execute_command("CLIENT", "KILL", "TYPE", "normal")  # type: ignore[no-untyped-call]


async def test_a_connection_that_is_cut_is_made_again(redis_url: str) -> None:
    async with (
        open_hub(redis_url) as here,
        open_hub(redis_url) as there,
        here.follow(["a"]) as following,
        Redis.from_url(redis_url) as admin,
    ):
        for _ in range(5):
            await connected(here, there)
            await admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]
            assert await heard(following, LONG)
        await connected(here, there)
        await there.publish([Hint("a")])
        assert await heard(following, LONG)


async def test_a_broker_that_answers_no_ping_is_left(tmp_path: Path) -> None:
    with broker(tmp_path) as redis:
        async with hub_over(RedisBackend(redis.url, ping_every=0.2)) as here, here.follow(["a"]) as following:
            await connected(here)
            redis.freeze()
            await disconnected(here)
            async with here.follow(["b"]):
                pass
            redis.thaw()
            assert await heard(following, LONG)


async def test_topics_come_and_go_while_the_broker_does(tmp_path: Path) -> None:
    """Followers that come, go and come back at once are in the end exactly those whom the broker knows."""
    with broker(tmp_path) as redis:
        async with open_hub(redis.url) as here, open_hub(redis.url) as there, Redis.from_url(redis.url) as admin:

            async def follow(topic: str) -> None:
                async with here.follow([topic]) as following:
                    await there.publish([Hint(topic)])
                    assert await heard(following, LONG)

            async def cut() -> None:
                for _ in range(10):
                    await connected(here)
                    await admin.execute_command("CLIENT", "KILL", "TYPE", "pubsub")  # type: ignore[no-untyped-call]

            cutting = asyncio.create_task(cut())
            while not cutting.done():
                await asyncio.gather(*(follow(f"t{number % 7}") for number in range(40)))
            await cutting
            async with here.follow(["t0"]):

                async def only_one() -> bool:
                    return bool(await admin.execute_command("PUBSUB", "CHANNELS") == [b"nchat-rtc:t0"])  # type: ignore[no-untyped-call]

                await eventually(only_one)


async def test_without_a_broker_at_the_start(tmp_path: Path) -> None:
    with broker(tmp_path) as redis:
        redis.kill()
        async with open_hub(redis.url) as here, open_hub(redis.url) as there, here.follow(["a"]) as following:
            redis.start()
            await connected(here, there)
            assert await heard(following, LONG)
            await there.publish([Hint("a")])
            assert await heard(following, LONG)
