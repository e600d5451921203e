"""Metadata and the database's tables and functions together: the catalog of what is tracked."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from permissions.reading.entries import ComputedFieldEntry, Configuration, Metadata, RelationshipEntry, TableEntry
from permissions.reading.nodes import MetadataError, Problem
from permissions.resolving.computed_fields import computed_field
from permissions.resolving.enum_columns import with_enums
from permissions.resolving.graphql_names import ClaimedNames, base_name, is_name
from permissions.resolving.relationships import relationship
from permissions.resolving.tracked_functions import track_functions
from schema.model import WRITE_ACTIONS, Catalog, Column, ComputedField, Leakproof, PgType, Relationship, RootFields, TableName, TrackedTable
from schema.naming import Naming
from schema.pg_functions import PgFunction
from schema.sql_types import pg_type
from schema.type_names import scalar_name

Tables = Mapping[TableName, sa.Table]


def track_tables(
    metadata: Metadata, database: sa.MetaData, functions: Iterable[PgFunction], *, numbers_as_text: bool = False
) -> tuple[Catalog, list[Problem]]:
    """The tracked tables of the metadata as they are in the database. What doesn't fit is left out and noted."""
    tables = {TableName(table.schema or "public", table.name): table for table in database.tables.values()}
    problems: list[Problem] = []
    signatures = list(functions)
    claims = ClaimedNames.before_tables(metadata.naming, _types(metadata, tables, signatures))
    present = _servable(metadata.tables, tables, claims, problems)
    tracked = {entry.name: _tracked(entry, tables[entry.name], claims, problems) for entry in present}
    tracked = with_enums(tracked, present, claims, problems)
    for entry in present:
        _add_fields(entry, tracked, signatures, claims, problems)
    called = track_functions(metadata.functions, signatures, tracked.keys(), claims, problems)
    return Catalog(tracked, database.info.get("epoch"), metadata.naming, called, numbers_as_text), problems


def _types(metadata: Metadata, tables: Tables, functions: Iterable[PgFunction]) -> Iterator[PgType]:
    """The types of columns and of what functions return."""
    for entry in metadata.tables:
        if entry.name in tables:
            yield from (pg_type(column.type) for column in tables[entry.name].columns)
    yield from (function.returns for function in functions if not function.returns_row)


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
    configuration, naming = entry.configuration, claims.naming
    base = base_name(naming, entry)
    problems.extend(
        Problem(config.position, f"`column_config` names {name}, which is no column of {entry.name}; remove it.")
        for name, config in configuration.columns.items()
        if name not in table.columns
    )
    columns = _columns(entry, table, claims, problems)
    key = tuple(column.name for column in table.primary_key.columns)
    return TrackedTable(
        name=entry.name,
        graphql_name=naming.type_name(base),
        base=base,
        table=table,
        columns=columns,
        # Nobody can give a key that has a column outside the API.
        primary_key=key if columns.keys() >= set(key) else (),
        constraints=_constraints(table),
        root_fields=RootFields(**naming.root_fields(base, configuration.root_fields)),
        root_comments=configuration.root_comments,
        comment=_comment(configuration.comment, table.comment or f'columns and relationships of "{entry.name}"'),
        partitioned=table.info.get("partitioned", False),
        indexed=table.info.get("indexed", frozenset()),
        ordered=table.info.get("ordered", frozenset()),
        writes=table.info.get("writes", frozenset(WRITE_ACTIONS)),
        numbering=table.info.get("numbering"),
    )


def _constraints(table: sa.Table) -> dict[str, tuple[str, ...]]:
    """Those that GraphQL can name."""
    keys = [key for key in table.constraints if isinstance(key, sa.PrimaryKeyConstraint | sa.UniqueConstraint) and len(key.columns)]
    named = {str(key.name): tuple(column.name for column in key.columns) for key in keys if key.name is not None}
    return {name: named[name] for name in sorted(named) if is_name(name)}


def _columns(entry: TableEntry, table: sa.Table, claims: ClaimedNames, problems: list[Problem]) -> dict[str, Column]:
    """Hasura: a column that can't be named in GraphQL is no part of the API."""
    columns: dict[str, Column] = {}
    named: set[str] = set()
    for column in (_column(column, entry.configuration, claims.naming) for column in table.columns):
        if not is_name(column.graphql_name):
            continue
        if column.graphql_name in named:
            problems.append(Problem(entry.position, f"{entry.name} has two columns {column.graphql_name} in GraphQL; rename one of them."))
        elif claims.scalar_taken(type_ := scalar_name(column.type.name)):
            sentence = (
                f"The type of {entry.name}.{column.name} would be {type_}, as something else is called; give that table a `custom_name`."
            )
            problems.append(Problem(entry.position, sentence))
        else:
            columns[column.name] = column
        named.add(column.graphql_name)
    return columns


def _column(column: sa.Column[Any], configuration: Configuration, naming: Naming) -> Column:
    config = configuration.columns.get(column.name)
    return Column(
        name=column.name,
        graphql_name=naming.column(column.name, config.custom_name if config else None),
        type=pg_type(column.type),
        nullable=bool(column.nullable),
        comment=_comment(config.comment if config else None, column.comment),
        leakproof=column.info.get("leakproof", Leakproof()),
    )


def _comment(written: str | None, of_database: str | None) -> str | None:
    return of_database if written is None else written or None


def _add_fields(
    entry: TableEntry,
    tracked: dict[TableName, TrackedTable],
    functions: list[PgFunction],
    claims: ClaimedNames,
    problems: list[Problem],
) -> None:
    """Relationships and computed fields join the columns in one namespace: the first of a name stays."""
    table = tracked[entry.name]
    taken = {column.graphql_name for column in table.columns.values()}
    relationships: dict[str, Relationship] = {}
    computed: dict[str, ComputedField] = {}
    parts: tuple[RelationshipEntry | ComputedFieldEntry, ...] = (*entry.relationships, *entry.computed_fields)
    for part in parts:
        names = _names(part, claims.naming)
        try:
            _check_names(part, names, entry.name, taken)
            if isinstance(part, RelationshipEntry):
                relationships[part.name] = relationship(part, table, tracked)
            else:
                field = computed_field(part, entry.name, functions, tracked.keys())
                args_type = field.args_type(claims.naming, table.base)
                claims.claim_given(field.function, args_type, part.position, f"Computed field {part.name}")
                computed[part.name] = field
        except MetadataError as error:
            problems.extend(error.problems)
        taken |= names
    # TrackedTable is frozen; its two maps were empty until every table was known.
    tracked[entry.name] = replace(table, relationships=relationships, computed_fields=computed)


def _names(part: RelationshipEntry | ComputedFieldEntry, naming: Naming) -> set[str]:
    """The fields it brings."""
    if not (isinstance(part, RelationshipEntry) and part.kind == "array"):
        return {part.name}
    return {part.name, naming.aggregate_of(part.name), naming.aggregate_order(part.name), naming.aggregate_predicate(part.name)}


def _check_names(part: RelationshipEntry | ComputedFieldEntry, names: set[str], table: TableName, taken: set[str]) -> None:
    if shared := sorted(names & taken):
        raise MetadataError(Problem(part.position, f"{table} has a field {shared[0]} already; choose another name."))
    if not is_name(part.name):
        raise MetadataError(Problem(part.position, f"{part.name} can't be a GraphQL name; choose another one."))
