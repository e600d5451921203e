"""The bus as its two ends see it: answers, refusals, one of many servers, and Redis away for a while."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from livekit import api

from devstack.media.bus import Bus, Method, PsrpcError, Service, ServiceClient, channels
from devstack.media.bus.redis_bus import AWAY
from tests.support.valkey import Broker, broker
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Broker]:
    with broker(tmp_path) as running:
        yield running


@pytest.fixture
async def bus(redis_server: Broker, anyio_backend: str) -> AsyncIterator[Bus]:
    async with Bus(redis_server.url).running() as running:
        yield running


@pytest.fixture
async def client(bus: Bus) -> ServiceClient:
    opened = ServiceClient(bus, "Echo")
    await opened.open()
    return opened


async def asked(client: ServiceClient, name: str, topic: str = "", timeout: float = 3) -> str:
    answer = await client.ask("Say", api.StopEgressRequest(egress_id=name), topic=topic, timeout=timeout)
    return str(api.StopEgressRequest.FromString(answer).egress_id)


class Speaker:
    """Answers with its own name before what was said."""

    def __init__(self, name: str, **how: Any) -> None:
        self.heard: list[str] = []
        self.method = Method("Say", api.StopEgressRequest, self._say, **how)
        self._name = name

    async def _say(self, request: Any) -> Any:
        self.heard.append(request.egress_id)
        if request.egress_id == "nothing":
            raise PsrpcError("not_found", "nothing is there")
        return api.StopEgressRequest(egress_id=f"{self._name}: {request.egress_id}")


async def test_an_answer_and_a_refusal(bus: Bus, client: ServiceClient) -> None:
    await Service(bus, "Echo").offer(Speaker("one").method)
    assert await asked(client, "hello") == "one: hello"
    with pytest.raises(PsrpcError, match="nothing is there") as refused:
        await asked(client, "nothing")
    assert refused.value.code == "not_found"


async def test_nobody_answers(client: ServiceClient) -> None:
    with pytest.raises(TimeoutError):
        await asked(client, "hello", timeout=0.2)


async def test_a_topic_is_for_its_own_requests(bus: Bus, client: ServiceClient) -> None:
    service, one, two = Service(bus, "Echo"), Speaker("one"), Speaker("two")
    await service.offer(one.method, "EG_1")
    await service.offer(two.method, "EG_ü/2")
    assert await asked(client, "a", "EG_1") == "one: a"
    assert await asked(client, "b", "EG_ü/2") == "two: b"
    await service.withdraw("Say", "EG_1")
    with pytest.raises(TimeoutError):
        await asked(client, "c", "EG_1", timeout=0.2)
    assert (one.heard, two.heard) == (["a"], ["b"])


@pytest.mark.parametrize("queue", [True, False])
async def test_one_of_many_servers_answers(bus: Bus, client: ServiceClient, queue: bool) -> None:
    speakers = [Speaker(str(number), queue=queue) for number in range(5)]
    for speaker in speakers:
        await Service(bus, "Echo").offer(speaker.method)
    said = [f"word {number}" for number in range(20)]
    await asyncio.gather(*(asked(client, word) for word in said))
    assert sorted(word for speaker in speakers for word in speaker.heard) == sorted(said)


async def test_who_does_not_want_it_is_not_asked(bus: Bus, client: ServiceClient) -> None:
    busy, free = Speaker("busy", affinity=lambda _request: -1.0), Speaker("free")
    for speaker in (busy, free):
        await Service(bus, "Echo").offer(speaker.method)
    assert await asked(client, "hello") == "free: hello"
    assert busy.heard == []


async def test_redis_dies_and_comes_back(bus: Bus, client: ServiceClient, redis_server: Broker) -> None:
    await Service(bus, "Echo").offer(Speaker("one").method)
    assert await asked(client, "before") == "one: before"
    redis_server.kill()
    with pytest.raises((TimeoutError, *AWAY)):
        await asked(client, "meanwhile", timeout=0.5)
    redis_server.start()

    async def answers_again() -> bool:
        try:
            return await asked(client, "after", timeout=0.5) == "one: after"
        except (TimeoutError, *AWAY):
            return False

    await eventually(answers_again)


def test_names_of_channels() -> None:
    assert channels.request("EgressHandler", "StopEgress", "EG_a-b") == "EgressHandler|StopEgress|EG_au+002db|REQ"
    assert channels.request("IOInfo", "UpdateEgress", "") == "IOInfo|UpdateEgress|REQ"
    assert channels.granted("S", "M", "🎥") == "S|M|U+0001f3a5|RCLAIM"
