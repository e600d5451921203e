"""insert_nchat_calls takes no more than initiateCall: so many a minute, so many that are open, at most a year away."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest

from devstack.demo_data import USER_IDS
from tests.hostile.attacked_service import AttackedService, AttackedServices
from tests.hostile.scale import scaled
from tests.support.refusals import code_in, error_in
from tests.support.valkey import valkey
from tests.support.whole_service import Caller, WholeService, whole_service

pytestmark = pytest.mark.anyio
ONE = "mutation ($object: nchat_calls_insert_input!) { insert_nchat_calls_one(object: $object) { id } }"
MANY = "mutation ($objects: [nchat_calls_insert_input!]!) { insert_nchat_calls(objects: $objects) { affected_rows } }"
CALL = {"type": "audio"}
BOB = USER_IDS["bob"]
RING_BOB = f'mutation {{ initiateCall(input: {{type: "audio", targetUserIds: ["{BOB}"]}}) {{ callId }} }}'
ONE_PATH, MANY_PATH = "$.selectionSet.insert_nchat_calls_one.args.object", "$.selectionSet.insert_nchat_calls.args.objects"


async def written(database_url: str) -> int:
    database = await asyncpg.connect(database_url)
    try:
        count: int = await database.fetchval("SELECT count(*) FROM nchat_calls WHERE status = 'initiated'")
        return count
    finally:
        await database.close()


async def error(caller: Caller, query: str, variables: dict[str, object]) -> dict[str, Any]:
    """The one error of a refused request, its extensions beside the message."""
    said = error_in((await caller.post(query, variables)).json(), query)
    return {"message": said["message"], **said["extensions"]}


@pytest.fixture
async def service(demo_database_url: str) -> AsyncIterator[WholeService]:
    """Ten calls a minute, and twelve open ones."""
    opening = whole_service(
        demo_database_url, "http://127.0.0.1:9", livekit_enabled=False, rate_limit_initiate="10/minute", max_open_calls=12
    )
    async with opening as ready:
        yield ready


@pytest.mark.alone
async def test_eight_thousand_rows(attacked: AttackedService, demo_database_url: str) -> None:
    """In one document, in many and in a batch, from all sides at once."""
    before, rows = await written(demo_database_url), scaled(8000, 800)
    async with attacked.good_neighbour(), httpx2.AsyncClient(base_url=attacked.url, timeout=30) as http:
        mallory = Caller(http, attacked.bearer("mallory"))
        whole = await error(mallory, MANY, {"objects": [CALL] * 400})
        assert (whole["code"], whole["path"], whole["message"]) == ("rate-limited", MANY_PATH, "Too many at once; at most 10 are allowed.")
        for _ in range(rows // 200):
            answers = await asyncio.gather(*(mallory.post(ONE, {"object": CALL}) for _ in range(100)))
            assert {answer.status_code for answer in answers} == {200}
            batch = [{"query": ONE, "variables": {"object": CALL}}] * 100
            await http.post("/v1/graphql", json=batch, headers=dict(mallory.headers))
    assert await written(demo_database_url) - before <= 20


async def test_two_processes_share_the_count(services: AttackedServices, demo_database_url: str, tmp_path: Path) -> None:
    before = await written(demo_database_url)
    async with AsyncExitStack() as stack:
        address = stack.enter_context(valkey(tmp_path))
        attacked = [await stack.enter_async_context(services.open(redis_url=f"redis://{address}")) for _ in range(2)]
        http = [await stack.enter_async_context(httpx2.AsyncClient(base_url=one.url, timeout=30)) for one in attacked]
        callers = [Caller(client, one.bearer("mallory")) for client, one in zip(http, attacked, strict=True)]
        answers = await asyncio.gather(*(callers[turn % 2].post(ONE, {"object": CALL}) for turn in range(40)))
    codes = Counter("" if "data" in answer.json() else code_in(answer.json(), ONE) for answer in answers)
    assert codes == {"": 10, "rate-limited": 30}
    assert await written(demo_database_url) - before == 10


async def test_two_processes_and_the_last_open_call(demo_database_url: str) -> None:
    """Each counts what the other has written, at the same moment."""
    before = await written(demo_database_url)
    async with AsyncExitStack() as stack:
        opening = [whole_service(demo_database_url, "http://127.0.0.1:9", livekit_enabled=False, max_open_calls=12) for _ in range(2)]
        services = [await stack.enter_async_context(one) for one in opening]
        people = [service.person(USER_IDS["mallory"]) for service in services]
        answers = await asyncio.gather(*(people[turn % 2].post(ONE, {"object": CALL}) for turn in range(60)))
        assert sum("data" in answer.json() for answer in answers) == 12
        refused = await error(people[0], ONE, {"object": CALL})
        assert await people[1].refusal(MANY, {"objects": [CALL, CALL]}) == "permission-error"
    assert refused == {
        "code": "permission-error", "path": ONE_PATH, "message": "Check constraint violation. a person has at most 12 open calls",
    }  # fmt: skip
    assert await written(demo_database_url) - before == 12


async def test_rows_that_go_beyond_the_limit_are_all_refused(demo_database_url: str) -> None:
    before = await written(demo_database_url)
    async with whole_service(demo_database_url, "http://127.0.0.1:9", livekit_enabled=False, max_open_calls=12) as service:
        mallory = service.person(USER_IDS["mallory"])
        assert await mallory.refusal(MANY, {"objects": [CALL] * 13}) == "permission-error"
        assert await written(demo_database_url) == before
        await mallory.data(MANY, {"objects": [CALL] * 12})
    assert await written(demo_database_url) - before == 12


async def test_a_call_that_is_over_is_not_open(service: WholeService, demo_database_url: str) -> None:
    mallory = service.person(USER_IDS["mallory"])
    await mallory.data(MANY, {"objects": [CALL] * 10})
    database = await asyncpg.connect(demo_database_url)
    await database.execute("UPDATE nchat_calls SET status = 'ended', ended_at = now()")
    await database.close()
    assert (await service.admin().data(MANY, {"objects": [CALL | {"initiator_id": str(USER_IDS["mallory"])}]})) is not None


@pytest.mark.parametrize(
    ("at", "refusal"),
    [
        (timedelta(days=364), None),
        (timedelta(days=367), "ahead"),
        ("2999-01-01T00:00:00Z", "ahead"),
        ("infinity", "ahead"),
        (timedelta(days=-364), None),
        (timedelta(days=-367), "ago"),
        ("0044-03-15T12:00:00Z BC", "ago"),
        ("-infinity", "ago"),
    ],
)
async def test_at_most_a_year_away(service: WholeService, demo_database_url: str, at: timedelta | str, refusal: str | None) -> None:
    when = at if isinstance(at, str) else (datetime.now(UTC) + at).isoformat()
    before = await written(demo_database_url)
    answer = (await service.person(USER_IDS["mallory"]).post(ONE, {"object": CALL | {"scheduled_at": when}})).json()
    if refusal:
        assert code_in(answer, when) == "permission-error"
        assert error_in(answer, when)["message"] == f"Check constraint violation. scheduled_at is at most a year {refusal}"
    assert await written(demo_database_url) - before == (refusal is None)


async def test_the_table_is_as_narrow_as_the_action_and_neither_shuts_the_other(service: WholeService, demo_database_url: str) -> None:
    """Ten through each, and then each says when there is room again."""
    alice = service.person(USER_IDS["alice"])
    assert [await alice.refusal(RING_BOB) for _ in range(11)] == ["media-unavailable"] * 10 + ["rate-limited"]
    await alice.data(MANY, {"objects": [CALL] * 10})
    before = await written(demo_database_url)
    refused = await error(alice, ONE, {"object": CALL})
    assert (refused["code"], refused["path"]) == ("rate-limited", ONE_PATH)
    assert 0 < refused["retryAfter"] <= 60
    assert await written(demo_database_url) == before


async def test_nothing_of_a_request_runs_when_its_inserts_are_refused(service: WholeService, demo_database_url: str) -> None:
    alice = service.person(USER_IDS["alice"])
    await alice.data(MANY, {"objects": [CALL] * 10})
    before = await written(demo_database_url)
    both = """mutation {
        first: insert_nchat_calls_one(object: {type: "audio"}) { id }
        second: insert_nchat_calls_one(object: {type: "audio"}) { id }
    }"""
    assert await alice.refusal(both) == "rate-limited"
    assert await written(demo_database_url) == before


async def test_admin_has_no_budget(service: WholeService, demo_database_url: str) -> None:
    before = await written(demo_database_url)
    rows = [CALL | {"initiator_id": str(USER_IDS["mallory"])}] * 30
    await service.admin().data(MANY, {"objects": rows})
    assert await written(demo_database_url) - before == 30


async def test_too_many_open_calls_are_an_actions_refusal(demo_database_url: str) -> None:
    async with whole_service(demo_database_url, "http://127.0.0.1:9", livekit_enabled=False, max_open_calls=3) as service:
        alice = service.person(USER_IDS["alice"])
        await alice.data(MANY, {"objects": [CALL] * 3})
        before = await written(demo_database_url)
        assert await alice.refusal(RING_BOB) == "too-many-calls"
        assert await written(demo_database_url) == before
