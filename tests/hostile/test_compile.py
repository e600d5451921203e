"""Documents inside every limit, as dear as they can be, and never one twice: they hold nobody up but who sends them."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.hostile.attacked_service import AttackedService
from tests.hostile.documents import flood
from tests.hostile.scale import scaled

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

ID = "6f1f0a55-0000-4000-8000-000000000001"


def roots(number: int, field: str, count: int) -> str:
    return "{" + " ".join(f"a{number}x{index}:{field}" for index in range(count)) + "}"


def doubling(number: int) -> str:
    """A fragment that holds the next one twice, and so on."""
    chain = ""
    for level in range(18):
        twice = " ".join(f"{key}:call_participants{{call{{...f{level + 1}}}}}" for key in "ab")
        chain += f" fragment f{level} on nchat_calls{{{twice}}}"
    return f"{{n{number}:nchat_calls{{...f0}}}}{chain} fragment f18 on nchat_calls{{id}}"


def spread_directives(number: int) -> str:
    spreads = " ".join(f"a{number}x{index}:channel{{...F}}" for index in range(400))
    return f"{{nchat_calls{{{spreads}}}}} fragment F on nchat_channels{{id {'@include(if:true)' * 1_500}}}"


def spread_arguments(number: int) -> str:
    spreads = " ".join(f"a{number}x{index}:call_participants{{call{{...F}}}}" for index in range(200))
    return f"{{nchat_calls{{{spreads}}}}} fragment F on nchat_calls{{call_participants({'limit:1 ' * 2_500}){{id}}}}"


def spread_text(number: int) -> str:
    spreads = " ".join(f"a{number}x{index}:call_participants{{call{{...F}}}}" for index in range(100))
    text = "x" * 500_000
    return f'{{nchat_calls{{{spreads}}}}} fragment F on nchat_calls{{call_participants(where:{{status:{{_eq:"{text}"}}}}){{id}}}}'


DOCUMENTS: dict[str, Callable[[int], str]] = {
    "no rows of users": lambda number: roots(number, "nchat_users(limit:0){id}", 700),
    "no rows of the dearest rule": lambda number: roots(number, "nchat_call_recording_tracks(limit:0){id}", 150),
    "aggregates": lambda number: "{nchat_calls_aggregate{" + " ".join(f"a{number}x{i}:aggregate{{count}}" for i in range(400)) + "}}",
    "long selections": lambda number: "{nchat_users{" + " ".join(f"a{number}x{index}:id" for index in range(4_500)) + "}}",
    "tokens and nothing else": lambda number: "{n" + str(number) + " a" * 14_000 + "}",
    "doubling fragments": doubling,
    "directives in a fragment": spread_directives,
    "arguments in a fragment": spread_arguments,
    "text in a fragment": spread_text,
    "conditions": lambda number: f"{{n{number}:nchat_users(where:{{_or:[{'{id:{_is_null:true}}' * 1_500}]}}){{id}}}}",
    "orders": lambda number: "{nchat_call_participants(order_by:[" + "{call:{created_at:asc}}" * 350 + f"]){{n{number}:id}}}}",
}


async def test_dear_documents(attacked: AttackedService) -> None:
    count = scaled(40, 3)
    bodies = ({"query": document(number)} for number in range(count) for document in DOCUMENTS.values())
    async with attacked.good_neighbour():
        answered = await flood(attacked, bodies, attacked.bearer("bob"))
    assert answered.total() == count * len(DOCUMENTS)
    assert answered.keys() <= {"data", "validation-failed", "time-limit-exceeded", "rate-limited"}
    assert answered["data"] > 0


async def test_without_a_name(attacked: AttackedService) -> None:
    dear = "nchat_users(limit:0){id}"
    async with attacked.good_neighbour():
        # Of fewer the 95th percentile is that of the first moments.
        await flood(attacked, ({"query": roots(number, dear, 400)} for number in range(scaled(40, 20))))


def variables(number: int) -> Iterator[dict[str, Any]]:
    """One kind of large variables after the other, each inside the size of a request."""
    users = f"query($w:nchat_users_bool_exp){{n{number}:nchat_users(where:$w){{id}}}}"
    yield {"query": users, "variables": {"w": {"id": {"_in": [ID] * 20_000}}}}
    yield {"query": users, "variables": {"w": {"_or": [{"id": {"_is_null": True}}] * 20_000}}}
    yield {"query": users, "variables": {"w": {f"x{index}": 1 for index in range(50_000)}}}
    names = f"query($i:[String!]){{n{number}:nchat_users(where:{{display_name:{{_in:$i}}}}){{id}}}}"
    yield {"query": names, "variables": {"i": ["a"] * 200_000}}
    yield {"query": "{nchat_users{id}}", "variables": {f"x{index}": number for index in range(50_000)}}
    yield {"query": "{nchat_users{id}}", "variables": {"x": [1e300] * 150_000}}


async def test_large_variables(attacked: AttackedService) -> None:
    bodies = (body for number in range(scaled(20, 2)) for body in variables(number))
    async with attacked.good_neighbour():
        answered = await flood(attacked, bodies, attacked.bearer("bob"))
    assert answered.keys() <= {"data", "validation-failed", "bad-request"}


async def test_large_inputs_of_actions(attacked: AttackedService) -> None:
    initiate = "mutation($i: InitiateCallInput!) { initiateCall(input: $i) { callId } }"
    ids = {"query": initiate, "variables": {"i": {"type": "audio", "targetUserIds": [ID] * 25_000}}}
    metadata = {
        "query": initiate,
        "variables": {"i": {"type": "audio", "targetUserIds": [ID], "metadata": {f"x{n}": n for n in range(70_000)}}},
    }
    literals = {"query": 'mutation { initiateCall(input: {type: audio, targetUserIds: ["' + '","'.join([ID] * 6_000) + '"]}) { callId } }'}
    bodies = (body for _ in range(scaled(30, 5)) for body in (ids, metadata, literals))
    async with attacked.good_neighbour():
        answered = await flood(attacked, bodies, attacked.bearer("bob"))
    assert answered.total() == 3 * scaled(30, 5)
    assert answered.keys() <= {"validation-failed", "rate-limited"}


async def test_a_batch(attacked: AttackedService) -> None:
    """A hundred times what one request may ask is one request."""

    def batch(number: int) -> list[dict[str, Any]]:
        return [{"query": roots(number * 100 + member, "nchat_users(limit:0){id}", 200)} for member in range(100)]

    batches = map(batch, range(scaled(20, 3)))
    async with attacked.good_neighbour():
        answered = await flood(attacked, batches, attacked.bearer("bob"))
    assert answered["data"] < answered["validation-failed"]


async def test_short_documents_never_the_same(attacked: AttackedService) -> None:
    """Each is compiled in a few milliseconds; a thousand of them are long work."""
    bodies = ({"query": roots(number, "nchat_calls(limit:0){id}", 3)} for number in range(scaled(2_000, 300)))
    async with attacked.good_neighbour():
        answered = await flood(attacked, bodies, attacked.bearer("bob"))
    assert answered == {"data": scaled(2_000, 300)}
