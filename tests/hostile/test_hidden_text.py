"""Hidden text read by time: a pattern that takes long when a hidden title begins as guessed. No hidden title is ever looked at."""

from collections.abc import AsyncIterator

import asyncpg
import httpx2
import pytest

from devstack.demo_data import GENERAL, USER_IDS
from tests.hostile.attacked_service import AttackedService
from tests.hostile.scale import scaled
from tests.support.counted_functions import MARK, calls, count_calls
from tests.support.whole_service import ADMIN_SECRET

pytestmark = [pytest.mark.anyio, pytest.mark.alone]

TITLE = f"merger with Initech on the {MARK}th, nobody may know of it before the board does"
# Right guesses and wrong ones, each with a back reference that takes seconds where its beginning matches.
GUESSES = ["merger with I", "merger with U", "a", "m"]
SLOW = r"(.+)(.+)(.+)(.+)(.{4,})(.+)(.+)\5"
PLACES = [
    "query ($p: String!) { nchat_streams(where: {title: {_regex: $p}}) { id } }",
    "query ($p: String!) { nchat_streams(where: {_not: {title: {_nregex: $p}}}, order_by: {created_at: desc}, limit: 1) { id } }",
    "query ($p: String!) { nchat_streams_aggregate(where: {title: {_iregex: $p}}) { aggregate { count } } }",
    "query ($p: String!) { nchat_users(where: {hosted_streams: {title: {_regex: $p}}}) { id } }",
    "query ($p: String!) { nchat_users { hosted_streams(where: {title: {_regex: $p}}) { id } } }",
    "query ($p: String!) { nchat_stream_chat(where: {stream: {title: {_regex: $p}}}) { id } }",
    'mutation ($p: String!) { update_nchat_streams(where: {title: {_regex: $p}}, _set: {title: "mine"}) { affected_rows } }',
]
ADMIN = {"x-hasura-admin-secret": ADMIN_SECRET}


@pytest.fixture
async def watched(demo_database_url: str) -> AsyncIterator[asyncpg.Connection]:
    """The database with a stream of a channel that mallory is no member of, and functions of patterns that count.

    A hundred such streams, analyzed, so that the planner remembers their titles.
    """
    connection = await asyncpg.connect(demo_database_url)
    await connection.execute(
        "INSERT INTO nchat_streams (channel_id, host_id, title, visibility) "
        "SELECT $1, $2, $3, 'channel_members' FROM generate_series(1, 100)",
        GENERAL,
        USER_IDS["alice"],
        TITLE,
    )
    await connection.execute("ANALYZE")
    await count_calls(connection, ["text"])
    yield connection
    await connection.close()


async def test_a_guess_takes_no_look_at_hidden_titles(watched: asyncpg.Connection, attacked: AttackedService) -> None:
    rounds = scaled(10, 2)
    async with attacked.good_neighbour(), httpx2.AsyncClient(base_url=attacked.url, headers=attacked.bearer("mallory"), timeout=30) as http:
        for number in range(rounds):
            for place in PLACES:
                for guess in GUESSES:
                    # In each round a statement of its own, which PostgreSQL plans for the values that it has.
                    query = place.replace("{ id", f"{{ n{number}: id", 1)
                    answer = await http.post("/v1/graphql", json={"query": query, "variables": {"p": f"^{guess}{SLOW}"}})
                    assert "data" in answer.json(), answer.text
                    assert TITLE not in answer.text
        assert (await calls(watched))[0] == 0
    async with httpx2.AsyncClient(base_url=attacked.url, headers=ADMIN) as admin:
        found = await admin.post("/v1/graphql", json={"query": PLACES[0], "variables": {"p": "^merger"}})
    assert len(found.json()["data"]["nchat_streams"]) == 100
    assert (await calls(watched))[0] >= 100
