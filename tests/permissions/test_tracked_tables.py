"""The catalog: names, relationships, keys and computed fields as Hasura derives them."""

from pathlib import Path

from permissions.reading.metadata import load_metadata
from permissions.resolving.resolve import Resolved, resolve
from schema.model import Catalog, ComputedField, Parameter, PgType, Relationship, SqlFunction, TableName
from tests.permissions import library

AUTHOR, BOOK = TableName("public", "author"), TableName("public", "book")
METADATA = """
version: 3
sources:
- name: default
  kind: postgres
  tables:
  - table: author
    configuration:
      custom_name: writer
      custom_root_fields: {select: writers, select_by_pk: {name: writer}, insert_one: null}
      column_config: {name: {custom_name: fullName, comment: ''}}
      custom_column_names: {name: old, mentor_id: mentorId}
    object_relationships:
    - {name: mentor, using: {foreign_key_constraint_on: mentor_id}}
    array_relationships:
    - {name: pupils, using: {foreign_key_constraint_on: {table: author, column: mentor_id}}}
    - {name: books, using: {foreign_key_constraint_on: {table: {schema: public, name: book}, columns: [author_id]}}, comment: all of them}
  - table: {schema: public, name: book}
    configuration: {comment: ''}
    object_relationships:
    - {name: author, using: {foreign_key_constraint_on: [author_id]}}
    - {name: listed, using: {manual_configuration: {remote_table: {schema: shop, name: price_list}, column_mapping: {title: title}}}}
    computed_fields:
    - {name: label, definition: {function: label}}
    - {name: link, definition: {function: {schema: public, name: link}, table_argument: book, session_argument: session}, comment: signed}
  - table: {schema: shop, name: price_list}
"""


def resolved(directory: Path) -> Resolved:
    path = directory / "metadata.yaml"
    path.write_text(METADATA)
    return resolve(load_metadata(path), library.metadata, library.functions, strict=True)


def catalog(directory: Path) -> Catalog:
    return resolved(directory).catalog


def test_default_and_custom_names(tmp_path: Path) -> None:
    tables = catalog(tmp_path)
    assert [table.graphql_name for table in tables] == ["writer", "book", "shop_price_list"]
    fields = tables[AUTHOR].root_fields
    assert (fields.select, fields.select_by_pk, fields.select_aggregate) == ("writers", "writer", "writer_aggregate")
    assert (fields.insert, fields.insert_one, fields.update_many) == ("insert_writer", "insert_writer_one", "update_writer_many")
    assert {name: column.graphql_name for name, column in tables[AUTHOR].columns.items()} == {
        "id": "id",
        "name": "fullName",
        "mentor_id": "mentorId",
    }


def test_comments_come_from_the_database_unless_written(tmp_path: Path) -> None:
    tables = catalog(tmp_path)
    assert tables[AUTHOR].columns["name"].comment is None
    assert tables[BOOK].comment is None
    assert library.author.c.name.comment == "as printed"


def test_relationships_by_foreign_key_against_one_and_by_hand(tmp_path: Path) -> None:
    tables = catalog(tmp_path)
    assert dict(tables[AUTHOR].relationships) == {
        "mentor": Relationship("mentor", AUTHOR, (("mentor_id", "id"),), "object", nullable=True),
        "pupils": Relationship("pupils", AUTHOR, (("id", "mentor_id"),), "array", after_parent=True),
        "books": Relationship("books", BOOK, (("id", "author_id"),), "array", comment="all of them", after_parent=True),
    }
    assert tables[BOOK].relationships["author"].nullable is False
    assert tables[BOOK].relationships["listed"] == Relationship(
        "listed", TableName("shop", "price_list"), (("title", "title"),), "object", nullable=True
    )


def test_types_are_named_as_postgresql_does(tmp_path: Path) -> None:
    columns = catalog(tmp_path)[BOOK].columns
    assert {name: column.type for name, column in columns.items()} == {
        "id": PgType("uuid"),
        "author_id": PgType("int4"),
        "title": PgType("varchar"),
        "pages": PgType("int4"),
        "stock": PgType("int8"),
        "tags": PgType("text", is_array=True),
        "info": PgType("jsonb"),
        "raw": PgType("json"),
        "binding": PgType("binding", is_enum=True, labels=("hard", "soft")),
        "printed_at": PgType("timestamptz"),
        "price": PgType("numeric"),
        "double_pages": PgType("int4"),
    }


def _of_book(name: str, *more: Parameter) -> SqlFunction:
    return SqlFunction(TableName("public", name), (Parameter("book", PgType("book"), "row"), *more), PgType("text"))


def test_computed_fields(tmp_path: Path) -> None:
    assert dict(catalog(tmp_path)[BOOK].computed_fields) == {
        "label": ComputedField("label", _of_book("label"), 'A computed field, executes function "label"'),
        "link": ComputedField("link", _of_book("link", Parameter("session", PgType("json"), "session")), "signed"),
    }


def test_admin_may_do_everything_that_the_database_can(tmp_path: Path) -> None:
    served = resolved(tmp_path)
    rules, view = served.rules("admin"), TableName("shop", "price_list")
    assert rules.select.keys() == served.catalog.tables.keys()
    assert rules.select[BOOK].computed_fields == {"label", "link"} and rules.select[BOOK].allow_aggregations
    assert view not in rules.insert and view not in rules.update and view not in rules.delete
    assert "double_pages" in rules.select[BOOK].columns
    assert "double_pages" not in rules.insert[BOOK].columns | rules.update[BOOK].columns


def test_an_unknown_role_may_do_nothing(tmp_path: Path) -> None:
    rules = resolved(tmp_path).rules("stranger")
    assert rules.role == "stranger"
    assert not (rules.select or rules.insert or rules.update or rules.delete or rules.actions)
