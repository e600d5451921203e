"""Names that GraphQL can't have, or can't have twice: the object is left out, the service still starts."""

from pathlib import Path
from typing import Any

import sqlalchemy as sa

from permissions.reading.metadata import load_metadata
from permissions.resolving.resolve import Resolved, resolve
from resolvers.hand_written.action_fields import ActionFields
from resolvers.roles.whole_schema import whole_schema
from schema.model import PgType, TableName
from schema.sql_types import Native
from schema.type_names import scalar_name


def served(directory: Path, tables: dict[str, dict[str, PgType]], tracked: str) -> Resolved:
    """The tables (name → columns, the first one is the key) under this metadata, as far as they go into one GraphQL schema."""
    metadata = sa.MetaData()
    for name, columns in tables.items():
        made: list[Any] = [
            sa.Column(column, Native(type_), primary_key=index == 0) for index, (column, type_) in enumerate(columns.items())
        ]
        sa.Table(name, metadata, *made)
    path = directory / "metadata.yaml"
    path.write_text("version: 3\nsources:\n- name: default\n  kind: postgres\n  tables:\n" + tracked)
    resolved = resolve(load_metadata(path), metadata, (), strict=False)
    whole_schema(resolved.catalog, ActionFields())
    return resolved


INT, TEXT = PgType("int4"), PgType("text")


def test_columns_that_graphql_cannot_name_are_left_out(tmp_path: Path) -> None:
    columns = {"my id": INT, "v": TEXT, "__typename": TEXT, "_and": TEXT, "9": TEXT}
    resolved = served(tmp_path, {"odd": columns}, "  - table: odd\n")
    table = resolved.catalog[TableName("public", "odd")]
    assert set(table.columns) == {"v"}
    assert table.primary_key == ()


def test_a_type_of_any_name_is_a_scalar(tmp_path: Path) -> None:
    mood = PgType("Mood of day", is_enum=True, schema="types", labels=("so so",))
    resolved = served(tmp_path, {"person": {"id": INT, "mood": mood, "moods": PgType("Mood of day", is_array=True)}}, "  - table: person\n")
    assert set(resolved.catalog[TableName("public", "person")].columns) == {"id", "mood", "moods"}
    assert [scalar_name(name) for name in ("Mood of day", "1st", "__x", "int8", "uuid")] == ["Mood_of_day", "_1st", "_x", "bigint", "uuid"]


def test_two_tables_cannot_bring_the_same_types_or_root_fields(tmp_path: Path) -> None:
    plain = {"id": INT}
    tables = dict.fromkeys(("book", "book_aggregate", "order_by", "String", "loan", "stay", "__hidden"), plain)
    tracked = "".join(f"  - table: {name}\n" for name in ("book", "book_aggregate", "order_by", "String", "loan", "__hidden"))
    tracked += "  - table: stay\n    configuration: {custom_root_fields: {select: loan}}\n"
    resolved = served(tmp_path, tables, tracked)
    assert {table.name.name for table in resolved.catalog} == {"book", "loan"}
    assert len(resolved.problems) == 5


def test_a_root_field_needs_a_name(tmp_path: Path) -> None:
    tracked = "  - table: book\n    configuration: {custom_root_fields: {select: all books}}\n"
    resolved = served(tmp_path, {"book": {"id": INT}}, tracked)
    assert list(resolved.catalog) == []
    assert "all books can't be a GraphQL name" in resolved.problems[0].sentence


def test_fields_of_one_table_differ(tmp_path: Path) -> None:
    tracked = """
  - table: book
    configuration: {column_config: {a: {custom_name: same}, b: {custom_name: same}}}
    array_relationships:
    - {name: books, using: {manual_configuration: {remote_table: book, column_mapping: {id: id}}}}
"""
    resolved = served(tmp_path, {"book": {"id": INT, "a": TEXT, "b": TEXT, "books_aggregate": TEXT}}, tracked)
    table = resolved.catalog[TableName("public", "book")]
    assert set(table.columns) == {"id", "a", "books_aggregate"}
    assert not table.relationships
    assert len(resolved.problems) == 2


def test_a_column_of_a_rows_type_does_not_take_the_tables_name(tmp_path: Path) -> None:
    resolved = served(
        tmp_path, {"note": {"id": INT}, "box_of": {"id": INT, "content": PgType("note")}}, "  - table: note\n  - table: box_of\n"
    )
    assert set(resolved.catalog[TableName("public", "box_of")].columns) == {"id"}
    assert "note" in resolved.problems[0].sentence
