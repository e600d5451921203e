"""Columns that refer to an enum table take its values as their type."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from permissions.reading.entries import TableEntry
from permissions.reading.nodes import Problem
from permissions.resolving.graphql_names import ClaimedNames
from schema.enum_tables import enum_values
from schema.foreign_keys import foreign_keys
from schema.model import EnumTable, EnumType, EnumValue, TableName, TrackedTable
from schema.naming import Naming


def with_enums(
    tracked: Mapping[TableName, TrackedTable], entries: Iterable[TableEntry], claims: ClaimedNames, problems: list[Problem]
) -> dict[TableName, TrackedTable]:
    """The tables, with the enums among them and the columns that refer to them. A table that can't be an enum is a table like others."""
    enums: dict[TableName, EnumTable] = {}
    for entry in entries:
        if not entry.is_enum:
            continue
        table = tracked[entry.name]
        try:
            enum = _enum(table, enum_values(table.table), claims.naming)
        except ValueError as error:
            sentence = f'the table "{entry.name}" cannot be used as an enum because {error}'
            problems.append(Problem(entry.position, sentence))
            continue
        if problem := claims.claim_enum(enum.type, entry):
            problems.append(problem)
        else:
            enums[entry.name] = enum
    return {name: replace(_typed(table, enums), enum=enums.get(name)) for name, table in tracked.items()}


def _enum(table: TrackedTable, values: tuple[EnumValue, ...], naming: Naming) -> EnumTable:
    names = tuple((naming.enum_value(value.name), value.name) for value in values)
    name = naming.type_name(table.base, "enum")
    return EnumTable(EnumType(name, naming.comparison_of_enum(name), names), values)


def _typed(table: TrackedTable, enums: Mapping[TableName, EnumTable]) -> TrackedTable:
    referred: dict[str, EnumTable] = {}
    for _, target, pairs in foreign_keys(table.table):
        # As in Hasura: one column, that refers to the key of the enum.
        if target in enums and len(pairs) == 1:
            referred.setdefault(pairs[0][0], enums[target])
    columns = {
        name: replace(column, type=replace(column.type, enum_table=enum.type, labels=tuple(value.name for value in enum.values)))
        if (enum := referred.get(name))
        else column
        for name, column in table.columns.items()
    }
    return replace(table, columns=columns)
