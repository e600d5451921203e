"""Metadata and the database's tables together: the catalog of tracked tables."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from permissions.computed_fields import computed_field
from permissions.entries import ComputedFieldEntry, Configuration, Metadata, RelationshipEntry, TableEntry
from permissions.nodes import MetadataError, Problem
from permissions.relationships import relationship
from schema.functions import Function
from schema.model import Catalog, Column, ComputedField, Relationship, RootFields, TableName, TrackedTable
from schema.sql_types import pg_type

_GRAPHQL_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")
Tables = Mapping[TableName, sa.Table]


def track(metadata: Metadata, database: sa.MetaData, functions: Iterable[Function]) -> tuple[Catalog, list[Problem]]:
    """The tracked tables of the metadata as they are in the database. What doesn't fit is left out and noted."""
    tables = {TableName(table.schema or "public", table.name): table for table in database.tables.values()}
    problems: list[Problem] = []
    present = _servable(metadata.tables, tables, problems)
    tracked = {entry.name: _tracked(entry, tables[entry.name], problems) for entry in present}
    signatures = list(functions)
    for entry in present:
        _add_fields(entry, tracked, signatures, problems)
    return Catalog(tracked), problems


def _servable(entries: Iterable[TableEntry], tables: Tables, problems: list[Problem]) -> list[TableEntry]:
    """The entries whose table is there and has a GraphQL name of its own."""
    servable: dict[str, TableEntry] = {}
    for entry in entries:
        name = graphql_name(entry.name, entry.configuration)
        if entry.name not in tables:
            problems.append(Problem(entry.position, f"There is no table {entry.name} in the database; create it or stop tracking it."))
        elif not _GRAPHQL_NAME.fullmatch(name):
            problems.append(Problem(entry.position, f"{name} can't be a GraphQL name; give the table a `custom_name`."))
        elif name in servable:
            problems.append(Problem(entry.position, f"Two tables are called {name} in GraphQL; give this one a `custom_name`."))
        else:
            servable[name] = entry
    return list(servable.values())


def graphql_name(name: TableName, configuration: Configuration) -> str:
    """Hasura: the name in schema public, `<schema>_<name>` elsewhere, unless there is a custom name."""
    return configuration.custom_name or (name.name if name.schema == "public" else f"{name.schema}_{name.name}")


def root_fields(base: str, custom: Mapping[str, str]) -> RootFields:
    """Hasura's default names, each replaced by a custom one where there is one."""
    defaults = {
        "select": base,
        "select_by_pk": f"{base}_by_pk",
        "select_aggregate": f"{base}_aggregate",
        "select_stream": f"{base}_stream",
        "insert": f"insert_{base}",
        "insert_one": f"insert_{base}_one",
        "update": f"update_{base}",
        "update_by_pk": f"update_{base}_by_pk",
        "update_many": f"update_{base}_many",
        "delete": f"delete_{base}",
        "delete_by_pk": f"delete_{base}_by_pk",
    }
    return RootFields(**{key: custom.get(key, name) for key, name in defaults.items()})


def _tracked(entry: TableEntry, table: sa.Table, problems: list[Problem]) -> TrackedTable:
    configuration = entry.configuration
    base = graphql_name(entry.name, configuration)
    problems.extend(
        Problem(config.position, f"`column_config` names {name}, which is no column of {entry.name}; remove it.")
        for name, config in configuration.columns.items()
        if name not in table.columns
    )
    columns = (_column(column, configuration) for column in table.columns)
    return TrackedTable(
        name=entry.name,
        graphql_name=base,
        table=table,
        # Hasura: a column that can't be named in GraphQL is no part of the API.
        columns={column.name: column for column in columns if _GRAPHQL_NAME.fullmatch(column.graphql_name)},
        primary_key=tuple(column.name for column in table.primary_key.columns),
        constraints=_constraint_names(table),
        root_fields=root_fields(base, configuration.root_fields),
        comment=_comment(configuration.comment, table.comment),
        writable=table.info.get("writable", True),
    )


def _constraint_names(table: sa.Table) -> tuple[str, ...]:
    keys = [key for key in table.constraints if isinstance(key, sa.PrimaryKeyConstraint | sa.UniqueConstraint) and len(key.columns)]
    return tuple(sorted(str(key.name) for key in keys if key.name is not None))


def _column(column: sa.Column[Any], configuration: Configuration) -> Column:
    config = configuration.columns.get(column.name)
    return Column(
        name=column.name,
        graphql_name=(config and config.custom_name) or column.name,
        type=pg_type(column.type),
        nullable=bool(column.nullable),
        comment=_comment(config.comment if config else None, column.comment),
    )


def _comment(written: str | None, of_database: str | None) -> str | None:
    return of_database if written is None else written or None


def _add_fields(entry: TableEntry, tracked: dict[TableName, TrackedTable], functions: list[Function], problems: list[Problem]) -> None:
    """Relationships and computed fields join the columns in one namespace: the first of a name stays."""
    table = tracked[entry.name]
    taken = {column.graphql_name for column in table.columns.values()}
    relationships: dict[str, Relationship] = {}
    computed: dict[str, ComputedField] = {}
    parts: tuple[RelationshipEntry | ComputedFieldEntry, ...] = (*entry.relationships, *entry.computed_fields)
    for part in parts:
        try:
            _check_name(part, entry.name, taken)
            if isinstance(part, RelationshipEntry):
                relationships[part.name] = relationship(part, table, tracked)
            else:
                computed[part.name] = computed_field(part, entry.name, functions)
        except MetadataError as error:
            problems.extend(error.problems)
        taken.add(part.name)
    # TrackedTable is frozen; its two maps were empty until every table was known.
    tracked[entry.name] = replace(table, relationships=relationships, computed_fields=computed)


def _check_name(part: RelationshipEntry | ComputedFieldEntry, table: TableName, taken: set[str]) -> None:
    if part.name in taken:
        raise MetadataError(Problem(part.position, f"{table} has a field {part.name} already; choose another name."))
    if not _GRAPHQL_NAME.fullmatch(part.name):
        raise MetadataError(Problem(part.position, f"{part.name} can't be a GraphQL name; choose another one."))
