"""A table with a column of each type whose values Hasura reads in a way of its own, and an engine over it."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from app.graphql.request_body import parse_body
from permissions.session import Session
from resolvers.documents.request import Request
from tests.engine.library import Library, library

SQL = """
CREATE DOMAIN tag AS text CHECK (length(VALUE) < 10);
CREATE TYPE mood AS ENUM ('sad', 'ok');
CREATE DOMAIN cheer AS mood CHECK (VALUE <> 'sad');
CREATE TYPE lamp AS ENUM ('on', 'off');
CREATE FUNCTION lamp_json(lamp) RETURNS json LANGUAGE sql STABLE AS $$ SELECT json_build_object('state', $1::text) $$;
CREATE CAST (lamp AS json) WITH FUNCTION lamp_json(lamp);
CREATE TABLE value (
  id serial PRIMARY KEY, i int4, s int2, b int8, f float4, d float8, n numeric, m money, flag bool, t text, u uuid, day date,
  j json, jb jsonb, iv interval, tags tag[], ints int4[], cheer cheer, cheers cheer[], lamp lamp, lamps lamp[]
);
CREATE TABLE part (id serial PRIMARY KEY, value_id int NOT NULL REFERENCES value, lamp lamp, jb jsonb);
CREATE TABLE "100%s" (id serial PRIMARY KEY, "a%b" int, above int REFERENCES "100%s");
CREATE FUNCTION "twice%d"("100%s", "by" int DEFAULT 2) RETURNS int LANGUAGE sql STABLE AS $$ SELECT $1."a%b" * $2 $$;
INSERT INTO value (id, i, s, b, flag, t) VALUES (1, 1, 1, 1, true, 'a'), (2, 2, 2, 2, false, 'b');
SELECT setval('value_id_seq', 100);
"""
USER = Session("user", {"x-hasura-user-id": "1"})


def _metadata() -> dict[str, object]:
    key = {"table": {"schema": "public", "name": "part"}, "column": "value_id"}
    mine = {"id": {"_eq": "X-Hasura-User-Id"}}
    value = {
        "table": {"schema": "public", "name": "value"},
        "array_relationships": [{"name": "parts", "using": {"foreign_key_constraint_on": key}}],
        "select_permissions": [{"role": "user", "permission": {"columns": "*", "filter": mine}}],
        "update_permissions": [{"role": "user", "permission": {"columns": "*", "filter": mine, "check": None}}],
    }
    part = {
        "table": {"schema": "public", "name": "part"},
        "object_relationships": [{"name": "value", "using": {"foreign_key_constraint_on": "value_id"}}],
    }
    source = {"name": "default", "kind": "postgres", "tables": [value, part, _percent()]}
    return {"version": 3, "sources": [source]}


def _percent() -> dict[str, object]:
    """A table, a column and a function with a percent sign in their names."""
    table = {"schema": "public", "name": "100%s"}
    below = {"foreign_key_constraint_on": {"table": table, "column": "above"}}
    return {
        "table": table,
        "configuration": {"custom_name": "percent", "column_config": {"a%b": {"custom_name": "ab"}}},
        "object_relationships": [{"name": "upper", "using": {"foreign_key_constraint_on": "above"}}],
        "array_relationships": [{"name": "lower", "using": below}],
        "computed_fields": [{"name": "twice", "definition": {"function": {"schema": "public", "name": "twice%d"}}}],
        "select_permissions": [{"role": "user", "permission": {"columns": ["id", "a%b"], "filter": {"a%b": {"_lt": 5}}}}],
    }


@asynccontextmanager
async def values(url: str, folder: Path) -> AsyncIterator[Library]:
    connection = await asyncpg.connect(url)
    await connection.execute(SQL)
    await connection.close()
    path = folder / "metadata.json"
    path.write_text(json.dumps(_metadata()))
    async with library(url, path) as opened:
        yield opened


def request(query: str, variables: str = "{}") -> Request:
    """A request as it comes over HTTP: the text of its variables counts."""
    parsed = parse_body(f'{{"query": {json.dumps(query)}, "variables": {variables}}}'.encode())
    assert isinstance(parsed, Request)
    return parsed
