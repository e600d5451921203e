"""Columns that are domains over enums, or arrays of them: PostgreSQL has no operator and no function for those as they are declared."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from app.hints import open_hub
from permissions.session import Session
from resolvers.documents.request import Request
from resolvers.live.cohorts import LiveQueries
from tests.engine.library import Library, library
from tests.support.databases import Databases
from tests.support.refusals import error_in
from tests.support.unshared import Unshared

pytestmark = pytest.mark.anyio

SQL = """
CREATE TYPE mood AS ENUM ('calm', 'glad', 'wild');
CREATE DOMAIN humour AS mood CHECK (VALUE <> 'wild');
CREATE TABLE shelf (humour humour PRIMARY KEY, humours humour[] UNIQUE, room int NOT NULL, mood mood);
CREATE TABLE book (id int PRIMARY KEY, mood mood, humour humour, humours humour[], moods mood[]);
CREATE INDEX ON shelf (room);
CREATE INDEX ON shelf (mood);
INSERT INTO shelf VALUES ('calm', '{calm}', 1, 'calm'), ('glad', '{glad,calm}', 2, 'calm');
INSERT INTO book VALUES
  (1, 'calm', 'calm', '{calm}', '{calm}'), (2, 'glad', 'calm', '{glad}', '{glad,calm}'), (3, 'wild', NULL, NULL, '{}');
"""


def _relationship(name: str, table: str, **columns: str) -> dict[str, Any]:
    return {"name": name, "using": {"manual_configuration": {"remote_table": table, "column_mapping": columns}}}


SHELF: dict[str, Any] = {
    "table": "shelf",
    "array_relationships": [
        _relationship("of_humour", "book", humour="humour"),
        _relationship("of_mood", "book", humour="mood"),
        _relationship("of_moods", "book", humours="moods"),
    ],
    "select_permissions": [
        {"role": "user", "permission": {"columns": "*", "filter": {"of_mood": {"id": {"_gt": 1}}}, "allow_aggregations": True}},
        {"role": "same", "permission": {"columns": "*", "filter": {"humour": {"_ceq": "mood"}}}},
        {"role": "mine", "permission": {"columns": "*", "filter": {"_or": [{"room": {"_eq": 1}}, {"mood": {"_eq": "X-Hasura-Mood"}}]}}},
    ],
    "insert_permissions": [{"role": "user", "permission": {"columns": "*", "check": {"humour": {"_in": ["glad", "calm"]}, "of_mood": {}}}}],
    "update_permissions": [{"role": "user", "permission": {"columns": "*", "filter": {"humour": {"_eq": "X-Hasura-Mood"}}, "check": None}}],
}
BOOK: dict[str, Any] = {
    "table": "book",
    "object_relationships": [
        _relationship("on_humour", "shelf", humour="humour"),
        _relationship("on_mood", "shelf", mood="humour"),
        _relationship("on_moods", "shelf", moods="humours"),
    ],
    "select_permissions": [
        {"role": role, "permission": {"columns": "*", "filter": {}, "allow_aggregations": True}} for role in ("user", "same", "mine")
    ],
}
USER = Session("user", {"x-hasura-mood": "glad"})


@asynccontextmanager
async def shelves(databases: Databases, folder: Path) -> AsyncIterator[Library]:
    source = {"name": "default", "kind": "postgres", "tables": [SHELF, BOOK]}
    (folder / "metadata.json").write_text(json.dumps({"version": 3, "sources": [source]}))
    with databases.temporary() as url:
        connection = await asyncpg.connect(url)
        await connection.execute(SQL)
        await connection.close()
        async with library(url, folder / "metadata.json") as opened:
            assert opened.resolved.problems == ()
            yield opened


@pytest.fixture(scope="module")
async def kept(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Library]:
    async with shelves(databases, tmp_path_factory.mktemp("shelves")) as opened:
        yield opened


@pytest.mark.parametrize(
    ("query", "data"),
    [
        (
            "{ shelf(order_by: {humour: asc}) { humour of_humour(order_by: {id: asc}) { id } of_mood { id } of_moods { id } } }",
            [
                {"humour": "calm", "of_humour": [{"id": 1}, {"id": 2}], "of_mood": [{"id": 1}], "of_moods": [{"id": 1}]},
                {"humour": "glad", "of_humour": [], "of_mood": [{"id": 2}], "of_moods": [{"id": 2}]},
            ],
        ),
        (
            "{ book(order_by: {id: asc}) { on_humour { humour } on_mood { humour } on_moods { humours } } }",
            [
                {"on_humour": {"humour": "calm"}, "on_mood": {"humour": "calm"}, "on_moods": {"humours": ["calm"]}},
                {"on_humour": {"humour": "calm"}, "on_mood": {"humour": "glad"}, "on_moods": {"humours": ["glad", "calm"]}},
                {"on_humour": None, "on_mood": None, "on_moods": None},
            ],
        ),
        ('{ book(where: {on_mood: {humour: {_gt: "calm"}}, humour: {_in: ["calm"]}}) { id } }', [{"id": 2}]),
        ('{ book(where: {on_humour: {of_mood: {id: {_eq: 1}}}, humours: {_contains: ["glad"]}}) { id } }', [{"id": 2}]),
        ("{ book(where: {_not: {on_mood: {}}, moods: {_eq: []}}) { id } }", [{"id": 3}]),
        ("{ book(order_by: [{on_mood: {humour: desc_nulls_last}}, {id: asc}]) { id } }", [{"id": 2}, {"id": 1}, {"id": 3}]),
        (
            "{ book(order_by: [{humour: asc}, {id: desc}], distinct_on: humour) { id humour } }",
            [{"id": 2, "humour": "calm"}, {"id": 3, "humour": None}],
        ),
        ("{ book(order_by: [{humours: asc}, {id: asc}], distinct_on: humours) { id } }", [{"id": 1}, {"id": 2}, {"id": 3}]),
        ("{ shelf(order_by: {of_humour_aggregate: {count: desc}}) { humour } }", [{"humour": "calm"}, {"humour": "glad"}]),
        ("{ shelf(order_by: {of_mood_aggregate: {max: {mood: desc}}}) { humour } }", [{"humour": "glad"}, {"humour": "calm"}]),
        (
            """{ book_aggregate { aggregate {
              count(columns: [humour, humours], distinct: true) max { humour humours mood } min { humour humours } } } }""",
            {
                "aggregate": {
                    "count": 3,
                    "max": {"humour": "calm", "humours": ["glad"], "mood": "wild"},
                    "min": {"humour": "calm", "humours": ["calm"]},
                }
            },
        ),
        (
            """{ shelf(where: {of_humour_aggregate: {
              count: {predicate: {_eq: 1}, arguments: humours, filter: {mood: {_eq: "glad"}}}}}) { humour } }""",
            [{"humour": "calm"}],
        ),
        (
            '{ shelf_by_pk(humour: "glad") { humours of_mood_aggregate { aggregate { count } } } }',
            {"humours": ["glad", "calm"], "of_mood_aggregate": {"aggregate": {"count": 1}}},
        ),
    ],
)
async def test_reads(kept: Library, query: str, data: Any) -> None:
    answer = await kept.ask(query)
    assert "errors" not in answer, answer
    assert list(answer["data"].values()) == [data]


async def test_rules(kept: Library) -> None:
    query = "{ shelf(order_by: {humour: asc}) { humour } }"
    for session, seen in (
        (USER, ["glad"]),
        (Session("same", {}), ["calm"]),
        (Session("mine", {"x-hasura-mood": "calm"}), ["calm", "glad"]),
        (Session("mine", {"x-hasura-mood": "glad"}), ["calm"]),
    ):
        assert [row["humour"] for row in (await kept.ask(query, session=session))["data"]["shelf"]] == seen, session
        page = query.replace("order_by", "limit: 5, order_by")
        assert [row["humour"] for row in (await kept.ask(page, session=session))["data"]["shelf"]] == seen, session
    stranger = Session("stranger", {})
    assert "not found in type" in error_in(await kept.ask(query, session=stranger), query)["message"]


async def test_writes(databases: Databases, tmp_path: Path) -> None:
    async with shelves(databases, tmp_path) as own:
        conflict = 'on_conflict: {constraint: shelf_pkey, update_columns: [humours, room], where: {humour: {_neq: "calm"}}}'
        upsert = f"""mutation {{ insert_shelf({conflict}, objects: [
          {{humour: "calm", humours: ["calm", "glad"], room: 8}}, {{humour: "glad", humours: [], room: 9}}
        ]) {{ affected_rows returning {{ humour humours room of_mood {{ id }} }} }} }}"""
        assert (await own.ask(upsert, session=USER))["data"]["insert_shelf"] == {
            "affected_rows": 1,
            "returning": [{"humour": "glad", "humours": [], "room": 9, "of_mood": [{"id": 2}]}],
        }
        assert await own.value("SELECT json_agg(room ORDER BY humour)::text FROM shelf") == "[1, 9]"
        update = 'mutation { update_shelf_by_pk(pk_columns: {humour: "%s"}, _set: {humours: ["glad"]}) { humours of_moods { id } } }'
        assert (await own.ask(update % "glad", session=USER))["data"] == {"update_shelf_by_pk": {"humours": ["glad"], "of_moods": []}}
        assert (await own.ask(update % "calm", session=USER))["data"] == {"update_shelf_by_pk": None}
        assert await own.value("SELECT humours::text FROM shelf WHERE humour::mood = 'calm'") == "{calm}"
        before = await own.value("SELECT json_agg(shelf ORDER BY humour)::text FROM shelf")
        for refused, code in (
            ('mutation { insert_shelf_one(object: {humour: "wild", room: 1}) { humour } }', "data-exception"),
            ('mutation { insert_shelf_one(object: {humour: "sad", room: 1}) { humour } }', "data-exception"),
            ('mutation { update_shelf(where: {}, _set: {humour: "wild"}) { affected_rows } }', "permission-error"),
        ):
            error = error_in(await own.ask(refused, session=USER), refused)
            assert error["extensions"]["code"] in (code, "constraint-violation", "permission-error"), error
            assert await own.value("SELECT json_agg(shelf ORDER BY humour)::text FROM shelf") == before
        nested = """mutation { insert_book_one(object: {id: 9, mood: "calm", on_humour: {data: {humour: "glad", room: 3},
          on_conflict: {constraint: shelf_pkey, update_columns: room}}}) { humour on_humour { room } } }"""
        assert (await own.ask(nested))["data"] == {"insert_book_one": {"humour": "glad", "on_humour": {"room": 3}}}
        gone = 'mutation { delete_book(where: {on_humour: {humour: {_eq: "glad"}}}) { returning { id } } }'
        assert (await own.ask(gone))["data"] == {"delete_book": {"returning": [{"id": 9}]}}


async def test_live_queries_and_streams(kept: Library) -> None:
    async with open_hub() as hub, asyncio.timeout(20):
        queries = LiveQueries(Unshared(kept.database), hub.follow, look_every=60)
        begin = 'subscription { shelf_stream(batch_size: 1, cursor: {initial_value: {humour: "calm"}}) { humour of_mood { id } } }'
        for query, told in (
            (begin, {"shelf_stream": [{"humour": "glad", "of_mood": [{"id": 2}]}]}),
            ("subscription { shelf { humour of_mood { id } } }", {"shelf": [{"humour": "glad", "of_mood": [{"id": 2}]}]}),
        ):
            live = await kept.engine.live_query(Request(query), USER)
            assert live is not None
            async with aclosing(queries.follow(live)) as answers:
                assert json.loads(await (await anext(answers)).take()) == {"data": told}
