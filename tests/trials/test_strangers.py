"""To a stranger a hidden thing and no thing are the same bytes: on every field and action that the schema has."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from uuid import UUID, uuid4

import orjson
import pytest

from tests.support.domain_setup import ALICE, MALLORY, MOD
from tests.support.dump import dump
from tests.support.whole_service import Caller, WholeService
from tests.transport.fakes import Client, websocket
from tests.trials.conftest import schema_of
from tests.trials.hidden_call import Hidden, Thing, hide
from tests.trials.probes import Probe, probes

pytestmark = pytest.mark.anyio

# Seconds. A stream that may tell something does so at once.
SILENCE = 1.0
STRANGERS = ["mallory", "moderator", "anonymous"]


def stranger(service: WholeService, name: str) -> Caller:
    match name:
        case "mallory":
            return service.person(MALLORY)
        case "moderator":
            return service.person(MOD, "moderator")
    return service.nobody()


async def all_probes(service: WholeService, *callers: Caller) -> list[Probe]:
    """What a user's schema offers and what the callers' own does: the stranger sends either."""
    found = [probe for caller in (service.person(ALICE), *callers) for probe in probes(await schema_of(caller))]
    return list(dict.fromkeys(found))


def masked(answer: bytes, ids: Sequence[UUID]) -> bytes:
    for id_ in ids:
        answer = answer.replace(str(id_).encode(), b"<id>")
    return answer


async def answer(caller: Caller, probe: Probe, ids: tuple[UUID, UUID]) -> bytes:
    """Status and body, without the ids that were asked for."""
    response = await caller.post(probe.document, probe.variables(*ids))
    assert b"unexpected" not in response.content, (str(probe), response.text)
    return masked(b"%d %s" % (response.status_code, response.content), ids)


async def told_apart(caller: Caller, probe: Probe, things: Sequence[Thing]) -> list[str]:
    """Which things any byte of the answer tells from none; of ids of nothing it is asked once for all things with the same `other`."""
    others = {thing.other for thing in things} if "$other" in probe.document else set()
    of_none = await answer(caller, probe, (uuid4(), uuid4()))
    beside = {other: await answer(caller, probe, (uuid4(), other)) for other in others}
    return [
        thing.name
        for thing in things
        if {of_none, beside.get(thing.other, of_none), await answer(caller, probe, (thing.id, thing.other))} != {of_none}
    ]


async def hidden_from(name: str, service: WholeService, database_url: str) -> Hidden:
    """A moderator sees every stream, and nothing else of other people."""
    return await hide(service, database_url, streamed=name != "moderator")


@pytest.mark.parametrize("name", STRANGERS)
async def test_no_answer_tells_a_hidden_thing_from_none(service: WholeService, demo_database_url: str, name: str) -> None:
    things = (await hidden_from(name, service, demo_database_url)).things
    caller = stranger(service, name)
    asked = [probe for probe in await all_probes(service, caller) if probe.kind != "subscription"]
    before = await dump(demo_database_url)
    told = [(str(probe), name) for probe in asked for name in await told_apart(caller, probe, things)]
    assert told == []
    assert await dump(demo_database_url) == before


async def test_the_same_questions_find_the_call_for_someone_who_is_in_it(service: WholeService, hidden: Hidden) -> None:
    """Otherwise equal answers would show nothing."""
    alice = service.person(ALICE)
    asked = [probe for probe in await all_probes(service) if probe.kind == "query" and "$other" not in probe.document]
    found = {(probe.field, name) for probe in asked for name in await told_apart(alice, probe, hidden.things)}
    by_id = {"call": "nchat_calls", "participant": "nchat_call_participants", "channel": "nchat_channels", "stream": "nchat_streams"}
    assert {(f"{table}{form}", name) for name, table in by_id.items() for form in ("", "_by_pk")} <= found
    assert {(f"nchat_{table}", "call") for table in ("users.*", "streams", "channels.*", "call_events", "call_recordings")} <= found | {
        ("nchat_channels.*", "call")
    }
    assert {("nchat_calls_aggregate", "call"), ("nchat_call_participants_aggregate", "participant")} <= found


async def first_word(client: Client, probe: Probe, ids: tuple[UUID, UUID], operation: str) -> bytes:
    """The first message of a subscription, which is then ended."""
    await client.subscribe(probe.document, operation, variables=probe.variables(*ids))
    message = await client.receive()
    while message.get("id") != operation:
        message = await client.receive()
    if message["type"] == "next":
        await client.send(type="complete", id=operation)
    return masked(orjson.dumps([message["type"], message["payload"]]), ids)


async def words_of_streams(client: Client, streams: Sequence[Probe], ids: Sequence[tuple[UUID, UUID]]) -> dict[str, set[bytes]]:
    """All that each stream says of each of the ids; one that has nothing to tell is silent."""
    said: dict[tuple[Probe, tuple[UUID, UUID]], list[bytes]] = {(probe, pair): [] for probe in streams for pair in ids}
    operations = {f"stream {number}": key for number, key in enumerate(said)}
    for operation, (probe, pair) in operations.items():
        await client.subscribe(probe.document, operation, variables=probe.variables(*pair))
    with suppress(TimeoutError):
        while True:
            message = await client.receive(SILENCE)
            if (key := operations.get(message.get("id", ""))) is not None:
                said[key].append(masked(orjson.dumps([message["type"], message["payload"]]), key[1]))
    for operation in operations:
        await client.send(type="complete", id=operation)
    return {str(probe): {b"".join(said[probe, pair]) for pair in ids} for probe in streams}


@asynccontextmanager
async def socket_of(service: WholeService, caller: Caller) -> AsyncIterator[Client]:
    async with websocket(service.address) as client:
        await client.init(dict(caller.headers))
        yield client


@pytest.mark.parametrize("name", STRANGERS)
async def test_no_subscription_tells_a_hidden_thing_from_none(service: WholeService, demo_database_url: str, name: str) -> None:
    hidden = await hidden_from(name, service, demo_database_url)
    caller = stranger(service, name)
    asked = [probe for probe in await all_probes(service, caller) if probe.kind == "subscription"]
    assert {"callEvents", "nchat_calls_by_pk"} <= {probe.field for probe in asked}
    before = await dump(demo_database_url)
    async with socket_of(service, caller) as client:
        ids = [(hidden.call.id, hidden.call.other), *hidden.call.in_vain()]
        streams = [probe for probe in asked if probe.field.endswith("_stream")]
        assert {field: words for field, words in (await words_of_streams(client, streams, ids)).items() if len(words) > 1} == {}
        for number, probe in enumerate(probe for probe in asked if probe not in streams):
            words = {await first_word(client, probe, pair, f"{number}-{turn}") for turn, pair in enumerate(ids)}
            assert len(words) == 1, (str(probe), words)
    assert await dump(demo_database_url) == before


async def test_ids_that_are_none_are_refused_in_words(service: WholeService, hidden: Hidden, demo_database_url: str) -> None:
    alice = service.person(ALICE)
    before = await dump(demo_database_url)
    for probe in await all_probes(service):
        if probe.kind != "subscription":
            codes = {await refused(alice, probe, wrong) for wrong in ("", f"{hidden.call.id}'--", 7, None)}
            assert codes <= {"validation-failed", "parse-failed", "data-exception"}, (str(probe), codes)
    assert await dump(demo_database_url) == before


async def refused(caller: Caller, probe: Probe, id_: object) -> str:
    """The code of the one error that this makes of every id."""
    return await caller.refusal(probe.document, dict.fromkeys(probe.variables(UUID(int=0), UUID(int=0)), id_))
