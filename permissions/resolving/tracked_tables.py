"""Metadata and the database's tables together: the catalog of tracked tables."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from permissions.reading.entries import ComputedFieldEntry, Configuration, Metadata, RelationshipEntry, TableEntry
from permissions.reading.nodes import MetadataError, Problem
from permissions.resolving.computed_fields import computed_field
from permissions.resolving.graphql_names import ClaimedNames, graphql_name, is_name, root_fields
from permissions.resolving.relationships import relationship
from schema.model import Catalog, Column, ComputedField, Leakproof, Relationship, TableName, TrackedTable
from schema.pg_functions import PgFunction
from schema.sql_types import pg_type
from schema.type_names import GIVEN, scalar_name

Tables = Mapping[TableName, sa.Table]


def track_tables(metadata: Metadata, database: sa.MetaData, functions: Iterable[PgFunction]) -> tuple[Catalog, list[Problem]]:
    """The tracked tables of the metadata as they are in the database. What doesn't fit is left out and noted."""
    tables = {TableName(table.schema or "public", table.name): table for table in database.tables.values()}
    problems: list[Problem] = []
    claims = ClaimedNames()
    present = _servable(metadata.tables, tables, claims, problems)
    tracked = {entry.name: _tracked(entry, tables[entry.name], claims, problems) for entry in present}
    signatures = list(functions)
    for entry in present:
        _add_fields(entry, tracked, signatures, problems)
    return Catalog(tracked, database.info.get("epoch")), problems


def _servable(entries: Iterable[TableEntry], tables: Tables, claims: ClaimedNames, problems: list[Problem]) -> list[TableEntry]:
    """The entries whose table is there and has GraphQL names of its own."""
    servable: list[TableEntry] = []
    for entry in entries:
        if entry.name not in tables:
            problems.append(Problem(entry.position, f"There is no table {entry.name} in the database; create it or stop tracking it."))
        elif problem := claims.claim(entry):
            problems.append(problem)
        else:
            servable.append(entry)
    return servable


def _tracked(entry: TableEntry, table: sa.Table, claims: ClaimedNames, problems: list[Problem]) -> TrackedTable:
    configuration = entry.configuration
    base = graphql_name(entry.name, configuration)
    problems.extend(
        Problem(config.position, f"`column_config` names {name}, which is no column of {entry.name}; remove it.")
        for name, config in configuration.columns.items()
        if name not in table.columns
    )
    columns = _columns(entry, table, claims, problems)
    key = tuple(column.name for column in table.primary_key.columns)
    return TrackedTable(
        name=entry.name,
        graphql_name=base,
        table=table,
        columns=columns,
        # Nobody can give a key that has a column outside the API.
        primary_key=key if columns.keys() >= set(key) else (),
        constraints=_constraint_names(table),
        root_fields=root_fields(base, configuration.root_fields),
        comment=_comment(configuration.comment, table.comment),
        writable=table.info.get("writable", True),
        numbering=table.info.get("numbering"),
    )


def _constraint_names(table: sa.Table) -> tuple[str, ...]:
    keys = [key for key in table.constraints if isinstance(key, sa.PrimaryKeyConstraint | sa.UniqueConstraint) and len(key.columns)]
    return tuple(sorted(str(key.name) for key in keys if key.name is not None))


def _columns(entry: TableEntry, table: sa.Table, claims: ClaimedNames, problems: list[Problem]) -> dict[str, Column]:
    """Hasura: a column that can't be named in GraphQL is no part of the API."""
    columns: dict[str, Column] = {}
    named: set[str] = set()
    for column in (_column(column, entry.configuration) for column in table.columns):
        if not is_name(column.graphql_name):
            continue
        if column.graphql_name in named:
            problems.append(Problem(entry.position, f"{entry.name} has two columns {column.graphql_name} in GraphQL; rename one of them."))
        elif (type_ := scalar_name(column.type.name)) in claims.types - GIVEN:
            sentence = f"The type of {entry.name}.{column.name} would be {type_}, as a table is called; give that one a `custom_name`."
            problems.append(Problem(entry.position, sentence))
        else:
            columns[column.name] = column
        named.add(column.graphql_name)
    return columns


def _column(column: sa.Column[Any], configuration: Configuration) -> Column:
    config = configuration.columns.get(column.name)
    return Column(
        name=column.name,
        graphql_name=(config and config.custom_name) or column.name,
        type=pg_type(column.type),
        nullable=bool(column.nullable),
        comment=_comment(config.comment if config else None, column.comment),
        leakproof=column.info.get("leakproof", Leakproof()),
    )


def _comment(written: str | None, of_database: str | None) -> str | None:
    return of_database if written is None else written or None


def _add_fields(entry: TableEntry, tracked: dict[TableName, TrackedTable], functions: list[PgFunction], problems: list[Problem]) -> None:
    """Relationships and computed fields join the columns in one namespace: the first of a name stays."""
    table = tracked[entry.name]
    taken = {column.graphql_name for column in table.columns.values()}
    relationships: dict[str, Relationship] = {}
    computed: dict[str, ComputedField] = {}
    parts: tuple[RelationshipEntry | ComputedFieldEntry, ...] = (*entry.relationships, *entry.computed_fields)
    for part in parts:
        names = _names(part)
        try:
            _check_names(part, names, entry.name, taken)
            if isinstance(part, RelationshipEntry):
                relationships[part.name] = relationship(part, table, tracked)
            else:
                computed[part.name] = computed_field(part, entry.name, functions)
        except MetadataError as error:
            problems.extend(error.problems)
        taken |= names
    # TrackedTable is frozen; its two maps were empty until every table was known.
    tracked[entry.name] = replace(table, relationships=relationships, computed_fields=computed)


def _names(part: RelationshipEntry | ComputedFieldEntry) -> set[str]:
    """The fields it brings."""
    return {part.name, f"{part.name}_aggregate"} if isinstance(part, RelationshipEntry) and part.kind == "array" else {part.name}


def _check_names(part: RelationshipEntry | ComputedFieldEntry, names: set[str], table: TableName, taken: set[str]) -> None:
    if shared := sorted(names & taken):
        raise MetadataError(Problem(part.position, f"{table} has a field {shared[0]} already; choose another name."))
    if not is_name(part.name):
        raise MetadataError(Problem(part.position, f"{part.name} can't be a GraphQL name; choose another one."))
