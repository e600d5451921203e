"""Tables for writes: notes in folders of owners, parts in two schemas, views; and who may write what."""

import json
from pathlib import Path
from typing import Any

from permissions.session import Session

SQL = """
CREATE SCHEMA shop;
CREATE TABLE owner (id int PRIMARY KEY, name text NOT NULL UNIQUE, level int NOT NULL DEFAULT 1);
CREATE TABLE folder (
  id serial PRIMARY KEY, owner_id int NOT NULL REFERENCES owner, title text NOT NULL, size int NOT NULL DEFAULT 0, stamp text,
  UNIQUE (owner_id, title)
);
CREATE TABLE note (
  id serial PRIMARY KEY, folder_id int NOT NULL REFERENCES folder ON DELETE CASCADE, body text, stars int2 DEFAULT 0, doc jsonb
);
CREATE TABLE cover (folder_id int PRIMARY KEY REFERENCES folder, colour text NOT NULL);
CREATE TABLE tick (id serial PRIMARY KEY, who int NOT NULL, kind text NOT NULL);
CREATE TABLE shop.part (code text, region text, amount numeric NOT NULL DEFAULT 0, holder int, PRIMARY KEY (code, region));
CREATE TABLE measured (at date NOT NULL, id int NOT NULL, amount int NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE measured_early PARTITION OF measured FOR VALUES FROM ('2000-01-01') TO ('2020-01-01');
CREATE TABLE measured_late (id int NOT NULL, amount int NOT NULL, at date NOT NULL);
ALTER TABLE measured ATTACH PARTITION measured_late FOR VALUES FROM ('2020-01-01') TO ('2040-01-01');
CREATE VIEW loud AS SELECT id, name, level FROM owner WHERE level > 5;
CREATE VIEW counted AS SELECT owner_id, count(*) AS folders FROM folder GROUP BY owner_id;
CREATE FUNCTION counted_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO folder (owner_id, title) VALUES (NEW.owner_id, 'made'); RETURN NEW; END $$;
CREATE TRIGGER counted_insert INSTEAD OF INSERT ON counted FOR EACH ROW EXECUTE FUNCTION counted_insert();
INSERT INTO owner VALUES (1, 'ann', 1), (2, 'bob', 7);
INSERT INTO folder (id, owner_id, title, size) VALUES (1, 1, 'in', 3), (2, 2, 'in', 4);
INSERT INTO note (id, folder_id, body, doc) VALUES (1, 1, 'a', '{"k": [1, 2], "x": 1}'), (2, 2, 'b', '["p", "q"]');
INSERT INTO shop.part VALUES ('p', 'x', 1, 1), ('p', 'y', 1, 2);
INSERT INTO measured (at, id, amount) VALUES ('2010-01-01', 1, 1), ('2030-01-01', 2, 2);
SELECT setval('folder_id_seq', 100), setval('note_id_seq', 100);
"""
ANN = Session("user", {"x-hasura-user-id": "1"})
BOB = Session("user", {"x-hasura-user-id": "2"})
SERVER = Session("server", {"x-hasura-user-id": "9"}, trusted=True, backend_only=True)
NOT_SERVER = Session("server", {"x-hasura-user-id": "9"})
TABLES = ("owner", "folder", "note", "cover", "tick", "shop.part", "measured")

_ME = {"_eq": "X-Hasura-User-Id"}
_MINE = {"owner_id": _ME}
_IN_MINE = {"folder": {"owner_id": _ME}}


def _all(role: str, **permission: Any) -> dict[str, Any]:
    return {"role": role, "permission": permission}


def _many(name: str, table: str, column: str) -> dict[str, Any]:
    return {"name": name, "using": {"foreign_key_constraint_on": {"table": table, "column": column}}}


def _one(name: str, column: str) -> dict[str, Any]:
    return {"name": name, "using": {"foreign_key_constraint_on": column}}


def _tables() -> list[dict[str, Any]]:
    reads = [_all("user", columns="*", filter={})]
    return [
        {
            "table": "owner",
            "array_relationships": [_many("folders", "folder", "owner_id")],
            "select_permissions": reads,
            "insert_permissions": [_all("user", columns=["id", "name"], check={"id": _ME}, computed_fields=[])],
        },
        {
            "table": "folder",
            "object_relationships": [_one("owner", "owner_id"), _many("cover", "cover", "folder_id")],
            "array_relationships": [_many("notes", "note", "folder_id")],
            "select_permissions": reads,
            "insert_permissions": [_all("user", columns=["id", "owner_id", "title", "size"], check=_MINE, set={"stamp": "inserted"})],
            "update_permissions": [
                _all("user", columns=["size", "title"], filter=_MINE, check={"size": {"_lt": 100}}, set={"stamp": "X-Hasura-User-Id"})
            ],
        },
        {
            "table": "note",
            "object_relationships": [_one("folder", "folder_id")],
            "select_permissions": reads,
            "insert_permissions": [_all("user", columns=["id", "body", "stars", "doc", "folder_id"], check=_IN_MINE)],
            "update_permissions": [_all("user", columns=["body", "stars", "doc"], filter=_IN_MINE, check=None, computed_fields=["none"])],
        },
        {"table": "cover", "select_permissions": reads, "insert_permissions": [_all("user", columns=["colour"], check={})]},
        {
            "table": "tick",
            "select_permissions": [*reads, _all("server", columns="*", filter={})],
            "insert_permissions": [
                _all("user", columns=[], check={}, set={"who": "X-Hasura-User-Id", "kind": "tick"}),
                _all("server", columns="*", check={}, backend_only=True),
            ],
            "update_permissions": [_all("server", columns=["kind"], filter={}, backend_only=True)],
        },
        {
            "table": {"schema": "shop", "name": "part"},
            "select_permissions": reads,
            "insert_permissions": [_all("user", columns="*", check={"holder": _ME})],
            "update_permissions": [_all("user", columns=["amount"], filter={"holder": _ME}, check={"amount": {"_gte": 0}})],
        },
        {
            "table": "measured",
            "select_permissions": reads,
            "insert_permissions": [_all("user", columns="*", check={"amount": {"_gt": 0}})],
            "update_permissions": [_all("user", columns=["amount"], filter={}, check={"amount": {"_lt": 50}})],
        },
        {
            "table": "loud",
            "select_permissions": reads,
            "insert_permissions": [_all("user", columns="*", check={"level": {"_gt": 5}})],
            "update_permissions": [_all("user", columns=["name"], filter={"id": _ME})],
            "delete_permissions": [_all("user", filter={"id": _ME})],
        },
        {
            "table": "counted",
            "select_permissions": reads,
            "insert_permissions": [_all("user", columns=["owner_id"], check={"owner_id": _ME})],
        },
    ]


def metadata(path: Path) -> Path:
    """`user` writes what is theirs; `server` only where it says that it is one."""
    path.write_text(json.dumps({"version": 3, "sources": [{"name": "default", "kind": "postgres", "tables": _tables()}]}))
    return path
