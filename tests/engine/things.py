"""A table with a column of every kind of type, whose rows are hidden or not by a row of another table; and who may see what."""

import json
from pathlib import Path
from typing import Any

from schema.model import PgType
from schema.operators import OPERATORS

# Column, type, a hidden row's value, a visible row's, and the type's name in GraphQL.
COLUMNS: dict[str, tuple[str, Any, Any, str]] = {
    "n": ("int4", 13, 7, "Int"),
    "big": ("int8", 13, 7, "bigint"),
    "word": ("text", "x13", "seven", "String"),
    "code": ("varchar", "x13", "seven", "String"),
    "fixed": ("bpchar", "x13", "seven", "bpchar"),
    "tagged": ("tag", "x13", "seven", "String"),
    "key": ("uuid", "13000000-0000-4000-8000-000000000013", "70000000-0000-4000-8000-000000000007", "uuid"),
    "flag": ("bool", True, True, "Boolean"),
    "day": ("date", "2013-01-13", "2007-07-07", "date"),
    "at": ("timestamptz", "2013-01-13T13:13:13Z", "2007-07-07T07:07:07Z", "timestamptz"),
    "real": ("float8", 13.5, 7.5, "float8"),
    "price": ("numeric", 13.13, 7.77, "numeric"),
    "mood": ("mood", "m13", "m7", "mood"),
    "doc": ("jsonb", {"a": 13, "k": "x13"}, {"a": 7}, "jsonb"),
    "words": ("text[]", ["x13"], ["seven"], "[String!]"),
    "prices": ("numeric[]", [13.13], [7.77], "[numeric!]"),
}
ENUM = PgType("mood", is_enum=True, labels=("m7", "m13"))
TYPES = {"tag": PgType("text"), "mood": ENUM, "text[]": PgType("text", is_array=True), "numeric[]": PgType("numeric", is_array=True)}
ME, OTHER = 1, 2

SQL = f"""
CREATE DOMAIN tag AS text;
CREATE TYPE mood AS ENUM ('m7', 'm13');
CREATE TABLE gate (id int PRIMARY KEY);
CREATE TABLE hall (id int PRIMARY KEY, gate_id int NOT NULL REFERENCES gate);
CREATE TABLE room (id int PRIMARY KEY, keeper int NOT NULL);
CREATE TABLE thing (
  id int PRIMARY KEY, room_id int NOT NULL REFERENCES room, hall_id int NOT NULL REFERENCES hall, touched text,
  {", ".join(f"{name} {type_}" for name, (type_, *_) in COLUMNS.items())}
);
ALTER TABLE thing SET (autovacuum_enabled = off);
CREATE INDEX ON thing (hall_id);
CREATE INDEX ON thing (room_id);
CREATE TABLE priced (price numeric PRIMARY KEY, room_id int NOT NULL REFERENCES room, seller numeric);
CREATE FUNCTION label(t thing) RETURNS text LANGUAGE sql STABLE AS $$ SELECT 'thing ' || t.id $$;
INSERT INTO gate SELECT g FROM generate_series(1, 2) g;
INSERT INTO hall SELECT h, 1 + h % 2 FROM generate_series(1, 4) h;
INSERT INTO room VALUES (1, {ME}), (2, {OTHER}), (3, {OTHER});
INSERT INTO priced VALUES (7.77, 1, 5), (5, 1, 5), (13.13, 2, 5), (1.13, 2, 113);
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER stays BEFORE DELETE ON thing FOR EACH ROW EXECUTE FUNCTION keep();
"""


def filled() -> str:
    """Three hundred things, every third visible; nearly all values alike, as PostgreSQL likes to remember them in its statistics."""
    names = ", ".join(COLUMNS)
    hidden = json.dumps({name: hidden for name, (_, hidden, _, _) in COLUMNS.items()}).replace("'", "''")
    seen = json.dumps({name: seen for name, (_, _, seen, _) in COLUMNS.items()}).replace("'", "''")
    return f"""
    INSERT INTO thing (id, room_id, hall_id, {names})
    SELECT i, 1 + i % 3, 1 + i % 4, {", ".join(f"(r.v).{name}" for name in COLUMNS)}
    FROM generate_series(1, 300) i,
    LATERAL (SELECT json_populate_record(NULL::thing, CASE i % 3 WHEN 0 THEN '{seen}' ELSE '{hidden}' END::json) v) r;
    ANALYZE;
    """


def pg_type(column: str) -> PgType:
    name = COLUMNS[column][0]
    return TYPES.get(name, PgType(name))


def asked(column: str, operator: str) -> tuple[str, Any] | None:
    """The GraphQL type and a value, not a hidden one, for this operator's right side; None where the column has no such operator."""
    known, type_, (_, _, seen, graphql) = OPERATORS[operator], pg_type(column), COLUMNS[column]
    # Lists of arrays are told as texts: the tests' traps are functions of known types.
    if not known.takes(type_) or (type_.is_array and known.operand == "list"):
        return None
    match known.operand:
        case "value" if known.right == "jsonpath":
            return "String", "$.a == 7" if operator == "_jsonb_path_match" else "$.a"
        case "value" if known.right is not None:
            return "String" if operator == "_has_key" else graphql, "s%" if "like" in operator else "(s|7)"
        case "value":
            return graphql, seen
        case "list":
            return ("[String!]", ["a"]) if known.family == "jsonb" else (f"[{graphql}!]", [seen])
    return "Boolean", False


def metadata(path: Path) -> Path:
    """One role, `user`, who sees, changes and removes the things in rooms that they keep."""
    mine = {"room": {"keeper": {"_eq": "X-Hasura-User-Id"}}}
    key = {"keeper": {"_eq": "X-Hasura-User-Id"}}

    def table(name: str, filter_: Any, **more: Any) -> dict[str, Any]:
        permission = {"columns": "*", "filter": filter_, "allow_aggregations": True}
        return {"table": name, "select_permissions": [{"role": "user", "permission": permission}], **more}

    def one(name: str, column: str) -> dict[str, Any]:
        return {"name": name, "using": {"foreign_key_constraint_on": column}}

    def many(name: str, of: str, column: str) -> dict[str, Any]:
        return {"name": name, "using": {"foreign_key_constraint_on": {"table": of, "column": column}}}

    seller = {"manual_configuration": {"remote_table": "priced", "column_mapping": {"price": "seller"}}}
    tables = [
        table("gate", {}, array_relationships=[many("halls", "hall", "gate_id")]),
        table("hall", {}, array_relationships=[many("things", "thing", "hall_id")]),
        table("room", key, array_relationships=[many("things", "thing", "room_id")]),
        table(
            "thing",
            mine,
            object_relationships=[one("room", "room_id"), one("hall", "hall_id")],
            computed_fields=[{"name": "label", "definition": {"function": "label"}}],
            update_permissions=[{"role": "user", "permission": {"columns": ["touched"], "filter": mine}}],
            delete_permissions=[{"role": "user", "permission": {"filter": mine}}],
        ),
        table("priced", mine, object_relationships=[one("room", "room_id")], array_relationships=[{"name": "sold", "using": seller}]),
    ]
    tables[3]["select_permissions"][0]["permission"]["computed_fields"] = ["label"]
    path.write_text(json.dumps({"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": tables}]}))
    return path
