"""The made-up product as a database, and as the directory that `hasura metadata export` would write of it."""

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

from bench.large_metadata.model import MadeUpProduct, MadeUpTable


def sql(product: MadeUpProduct) -> str:
    """Tables, keys and functions."""
    return "\n".join(_statements(product))


def _statements(product: MadeUpProduct) -> Iterator[str]:
    for enum in product.enums:
        yield f"CREATE TABLE {enum} (value text PRIMARY KEY, comment text);"
        yield f"INSERT INTO {enum} VALUES ('open', 'it goes on'), ('done', 'it is over'), ('kept', null);"
    for table in product.tables:
        state = [] if table.state is None else [f"state text REFERENCES {table.state}"]
        columns = [f"{name} {type_}{' NOT NULL' if name in ('owner_id', 'name') else ''}" for name, type_ in table.columns if name != "id"]
        yield f"CREATE TABLE {table.name} ({', '.join(['id uuid PRIMARY KEY', *columns, *state])}, UNIQUE (tenant_id, name));"
        yield f"COMMENT ON TABLE {table.name} IS 'things of a kind';"
    for table in product.tables:
        for reference in table.references:
            yield f"ALTER TABLE {table.name} ADD FOREIGN KEY ({reference.column}) REFERENCES {reference.target.name};"
        if table.computed:
            yield f"CREATE FUNCTION {table.name}_label(thing {table.name}) RETURNS text LANGUAGE sql STABLE AS 'SELECT thing.name';"
            yield (
                f"CREATE FUNCTION {table.name}_found(part text) RETURNS SETOF {table.name} LANGUAGE sql STABLE"
                f" AS 'SELECT * FROM {table.name} WHERE name LIKE part';"
            )


def write_metadata(product: MadeUpProduct, directory: Path) -> None:
    """Version 3, a file a table."""
    tables = directory / "databases" / "default" / "tables"
    tables.mkdir(parents=True)
    _write(directory / "version.yaml", {"version": 3})
    source = {"name": "default", "kind": "postgres", "tables": "!include default/tables/tables.yaml"}
    source |= {"functions": "!include default/functions.yaml"}
    _write(directory / "databases" / "databases.yaml", [source])
    found = [{"function": {"schema": "public", "name": f"{table.name}_found"}} for table in product.tables if table.computed]
    _write(directory / "databases" / "default" / "functions.yaml", found)
    entries = {enum: {"table": _named(enum), "is_enum": True} for enum in product.enums}
    entries |= {table.name: _entry(product, table) for table in product.tables}
    for name, entry in entries.items():
        _write(tables / f"public_{name}.yaml", entry)
    _write(tables / "tables.yaml", [f"!include public_{name}.yaml" for name in entries])


def _entry(product: MadeUpProduct, table: MadeUpTable) -> dict[str, Any]:
    arrays = [(other, reference) for other in product.tables for reference in other.references if reference.target is table]
    entry: dict[str, Any] = {"table": _named(table.name)}
    entry["object_relationships"] = [
        {"name": reference.name, "using": {"foreign_key_constraint_on": reference.column}} for reference in table.references
    ]
    entry["array_relationships"] = [
        {
            "name": f"{other.name}_by_{reference.name}",
            "using": {"foreign_key_constraint_on": {"column": reference.column, "table": _named(other.name)}},
        }
        for other, reference in arrays
    ]
    if table.computed:
        entry["computed_fields"] = [{"name": "label", "definition": {"function": {"schema": "public", "name": f"{table.name}_label"}}}]
    by_action = sorted(table.permissions, key=lambda permission: permission[1])
    for action, granted in groupby(by_action, key=lambda permission: permission[1]):
        entry[f"{action}_permissions"] = [{"role": role, "permission": permission} for role, _, permission in granted]
    return entry


def _named(table: str) -> dict[str, str]:
    return {"schema": "public", "name": table}


def _write(path: Path, content: Any) -> None:
    path.write_text(yaml.dump(content, Dumper=_Plain, sort_keys=False))


class _Plain(yaml.SafeDumper):
    """Hasura's command line writes no aliases."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the base class's
        return True
