"""Answers as patches: what a client that applies them has is the whole answer, and they are small."""

import asyncio
import copy
import itertools
import json
import random
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Any, cast

import pytest

from app.graphql.request_body import request_of
from app.hints import open_hub
from domain.ports import Hint
from resolvers.live import patches
from resolvers.live.cohorts import LiveQueries
from resolvers.live.patches import Deltas, Patches
from resolvers.live.payload import KEPT_BYTES, Payload
from resolvers.loop_share import LoopShare
from resolvers.sql.database import DatabaseError, LookDatabase
from tests.subscriptions.test_cohorts import PlayedDatabase, live
from tests.support.json_patches import applied
from tests.support.unshared import Unshared

Change = Callable[[random.Random, list[Any]], None]


def row(number: int, dice: random.Random) -> dict[str, Any]:
    return {
        "id": f"{number:08d}",
        "title": "".join(dice.choices('abc/~äé "\\', k=60)),
        "n": dice.choice([1, 1.0, True, None, 10**25, 0.1]),
        "tags": [dice.choice("xyz") for _ in range(dice.randrange(4))],
        "author": {"name": "a" * dice.randrange(9), "~/": dice.randrange(3)},
    }


def body(rows: object) -> bytes:
    return json.dumps({"data": {"books": rows}}).encode()


def alter(dice: random.Random, rows: list[Any]) -> None:
    one = dice.choice(rows)
    one[dice.choice(list(one))] = dice.choice([1, 1.0, True, False, None, "text", [], {}, [1, [2]], {"a": {"b": 1}}])


def insert(dice: random.Random, rows: list[Any]) -> None:
    rows.insert(dice.randrange(len(rows) + 1), row(dice.randrange(10**8), dice))


def remove(dice: random.Random, rows: list[Any]) -> None:
    del rows[dice.randrange(len(rows))]


def move(dice: random.Random, rows: list[Any]) -> None:
    rows.insert(dice.randrange(len(rows)), rows.pop(dice.randrange(len(rows))))


def double(dice: random.Random, rows: list[Any]) -> None:
    rows.insert(dice.randrange(len(rows)), copy.deepcopy(dice.choice(rows)))


def nameless(dice: random.Random, rows: list[Any]) -> None:
    dice.choice(rows).pop("id", None)


def told(deltas: Deltas, payload: Payload, version: int) -> Any:
    payload.version = version
    return json.loads(deltas.body(payload))


def test_ten_thousand_changes_give_the_full_answer() -> None:
    dice = random.Random(1)  # noqa: S311 - no secrets
    # A second goes by between two answers.
    deltas, has, patched = Deltas(Patches(LoopShare(itertools.count().__next__))), None, 0
    rows = [row(number, dice) for number in range(8)]
    for version in range(10_000):
        message = told(deltas, Payload(body(rows)), version)
        extensions = message["extensions"]
        if message["data"] is None:
            assert extensions["base"] == version
            has, patched = applied(extensions["patch"], has), patched + 1
        else:
            has = message["data"]
        assert extensions["version"] == version + 1
        # As text: to Python 1, 1.0 and true are equal.
        assert json.dumps(has, sort_keys=True) == json.dumps({"books": rows}, sort_keys=True)
        for _ in range(dice.choice([1, 1, 1, 5])):
            dice.choice([alter, alter, move, nameless, remove if len(rows) > 8 else dice.choice([insert, double])])(dice, rows)
    assert patched > 9_000


def test_one_column_of_one_row_is_a_hundredth_of_the_answer() -> None:
    rows = [{"id": number, "status": "ringing", "title": "x" * 160} for number in range(100)]
    deltas = Deltas(Patches())
    first = Payload(body(rows))
    whole = deltas.body(first)
    assert len(whole) > 100 * 200
    rows[57]["status"] = "ended"
    second = Payload(body(rows))
    second.version = 1
    message = deltas.body(second)
    assert json.loads(message)["extensions"]["patch"] == [{"op": "replace", "path": "/books/57/status", "value": "ended"}]
    assert len(message) <= 0.02 * len(whole)


def test_a_patch_that_is_larger_than_the_answer_is_not_sent() -> None:
    deltas = Deltas(Patches())
    told(deltas, Payload(body([1, 2, 3])), 0)
    assert told(deltas, Payload(body([4, 5, 6])), 1)["data"] == {"books": [4, 5, 6]}


def test_whoever_skipped_a_version_gets_the_whole_answer() -> None:
    deltas, rows = Deltas(Patches()), ["x" * 200, "y" * 200]
    told(deltas, Payload(body([*rows, 1])), 0)
    assert told(deltas, Payload(body([*rows, 2])), 1)["data"] is None
    assert told(deltas, Payload(body([*rows, 3])), 3) == {"data": {"books": [*rows, 3]}, "extensions": {"version": 3}}
    assert told(deltas, Payload(body([*rows, 4])), 4)["extensions"]["base"] == 3


def test_large_answers_and_errors_are_whole() -> None:
    deltas = Deltas(Patches())
    fault = Payload(b'{"errors":[{"message":"no","extensions":{"code":"data-exception"}}]}')
    for version, payload in enumerate([Payload(body(["x" * 300])), fault, Payload(body(["y" * 300])), Payload(body(["x" * KEPT_BYTES]))]):
        message = told(deltas, payload, version)
        assert message.pop("extensions") == {"version": version + 1}
        assert message == json.loads(payload.body)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (list(range(2_000)), list(range(2_000, 0, -1))),
        ([{"a": n} for n in range(2_000)], [{"a": n} for n in range(2_000, 0, -1)]),
        ([[]] * 2_000, [[]] * 1_500),
        (["ab"] * 2_000, ["ba"] * 2_000),
        (list(range(1_000)), list(range(1, 9_000))),
    ],
    ids=["reversed", "nameless", "alike", "other", "too many"],
)
def test_nothing_holds_the_loop(before: object, after: object) -> None:
    one, other = body(before), body(after)
    assert max(len(one), len(other)) <= KEPT_BYTES
    took = []
    for _ in range(3):
        began = time.thread_time()
        Patches().between(one, other)
        took.append(time.thread_time() - began)
    # The shortest: what else the process does at the same time is not held against it.
    assert min(took) < 0.05


def test_who_asks_for_too_many_patches_gets_answers() -> None:
    found = Patches(LoopShare(lambda: 0.0))
    bodies = [body([number] * 2_000) for number in range(20)]
    mine = [found.between(before, after, "user eve") is None for before, after in itertools.pairwise(bodies)]
    assert mine.index(True) in range(3, 18)
    assert mine[-1]
    assert found.between(bodies[-2], bodies[-1], "user bob") is not None


@pytest.mark.parametrize(
    ("extensions", "delta"), [({"delta": True}, True), ({"delta": False}, False), ({"delta": 1}, False), ([], False), (None, False)]
)
def test_an_operation_asks_for_deltas(extensions: object, delta: bool) -> None:
    assert request_of({"query": "{ a }", "extensions": extensions}).delta is delta


@pytest.mark.anyio
async def test_patches_are_made_once_for_all_who_saw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    made, really = list[bytes](), patches._between

    def counted(before: bytes, after: bytes) -> bytes:
        made.append(after)
        return really(before, after)

    monkeypatch.setattr(patches, "_between", counted)
    database, long = PlayedDatabase(), "x" * 500
    database.answer = body([long, 1])
    async with open_hub() as hub:
        queries = LiveQueries(Unshared(cast(LookDatabase, database)), hub.follow, look_every=60)
        # Two sessions of their own, whose answers are the same, and one who asks for no deltas.
        asked = [
            queries.follow(live(own=("1",)), delta=True),
            queries.follow(live(own=("2",)), delta=True),
            queries.follow(live(own=("1",))),
        ]
        async with aclosing(asked[0]) as one, aclosing(asked[1]) as other, aclosing(asked[2]) as plain, asyncio.timeout(10):
            first = [json.loads(await (await anext(payloads)).take()) for payloads in (one, other, plain)]
            assert [message.get("extensions") for message in first] == [{"version": 1}, {"version": 1}, None]
            database.answer = body([long, 2])
            await hub.publish([Hint("table:book")])
            told = [json.loads(await (await anext(payloads)).take()) for payloads in (one, other, plain)]
            patch = [{"op": "replace", "path": "/books/1", "value": 2}]
            assert told[0] == told[1] == {"data": None, "extensions": {"patch": patch, "base": 1, "version": 2}}
            assert told[2] == {"data": {"books": [long, 2]}}
            assert len(made) == 1


@pytest.mark.anyio
async def test_a_fault_between_two_answers_is_told_whole() -> None:
    database = PlayedDatabase()
    database.answer = body(["x" * 300])
    async with open_hub() as hub:
        queries = LiveQueries(Unshared(cast(LookDatabase, database)), hub.follow, look_every=60)
        async with aclosing(queries.follow(live(), delta=True)) as payloads, asyncio.timeout(10):
            await (await anext(payloads)).take()
            answers: list[bytes | Exception] = [DatabaseError("22012", "division by zero"), body(["x" * 299])]
            for version, answer in enumerate(answers, 2):
                database.answer = answer
                await hub.publish([Hint("table:book")])
                message = json.loads(await (await anext(payloads)).take())
                assert message["extensions"] == {"version": version}
