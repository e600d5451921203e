"""A relationship of the metadata, resolved against the tables it joins."""

from collections.abc import Mapping

from permissions.reading.entries import ForeignKeyOn, ManualMapping, RelationshipEntry, ReverseForeignKeyOn
from permissions.reading.nodes import MetadataError, Problem
from schema.foreign_keys import Pairs, foreign_keys
from schema.model import Relationship, TableName, TrackedTable


def relationship(entry: RelationshipEntry, table: TrackedTable, tracked: Mapping[TableName, TrackedTable]) -> Relationship:
    """The tables and columns a relationship joins. Raises MetadataError when they don't exist or aren't tracked."""
    match entry.using:
        case ForeignKeyOn(columns):
            target, pairs = _forward(entry, table, columns)
        case ReverseForeignKeyOn(target, columns):
            pairs = _reverse(entry, table, _tracked(entry, target, tracked), columns)
        case ManualMapping(target, pairs):
            _check_columns(entry, table, [local for local, _ in pairs])
    _check_columns(entry, _tracked(entry, target, tracked), [remote for _, remote in pairs])
    follows_key = entry.kind == "object" and isinstance(entry.using, ForeignKeyOn)
    nullable = not follows_key or any(table.table.columns[local].nullable for local, _ in pairs)
    return Relationship(entry.name, target, pairs, entry.kind, nullable, entry.comment, _after_parent(entry))


def _after_parent(entry: RelationshipEntry) -> bool:
    """Hasura: the row at the other end of a key that this table holds comes first, in a manual relationship unless it says otherwise."""
    match entry.using:
        case ForeignKeyOn():
            return False
        case ReverseForeignKeyOn():
            return True
        case ManualMapping(after_parent=after):
            return after or entry.kind == "array"


def _forward(entry: RelationshipEntry, table: TrackedTable, columns: tuple[str, ...]) -> tuple[TableName, Pairs]:
    _check_columns(entry, table, columns)
    found = [(target, pairs) for _, target, pairs in foreign_keys(table.table) if {own for own, _ in pairs} == set(columns)]
    if len(found) != 1:
        raise _problem(entry, f"{_count(found)} foreign key of {table.name} on {', '.join(columns)}; use `manual_configuration`.")
    return found[0]


def _reverse(entry: RelationshipEntry, table: TrackedTable, other: TrackedTable, columns: tuple[str, ...]) -> Pairs:
    _check_columns(entry, other, columns)
    keys = [pairs for _, target, pairs in foreign_keys(other.table) if target == table.name and {own for own, _ in pairs} == set(columns)]
    if len(keys) != 1:
        sentence = f"{_count(keys)} foreign key of {other.name} on {', '.join(columns)} to {table.name}; use `manual_configuration`."
        raise _problem(entry, sentence)
    return tuple((key, own) for own, key in keys[0])


def _tracked(entry: RelationshipEntry, name: TableName, tracked: Mapping[TableName, TrackedTable]) -> TrackedTable:
    if name not in tracked:
        raise _problem(entry, f"its target {name} is not tracked; track it or remove the relationship.")
    return tracked[name]


def _check_columns(entry: RelationshipEntry, table: TrackedTable, columns: tuple[str, ...] | list[str]) -> None:
    for column in columns:
        if column not in table.table.columns:
            raise _problem(entry, f"{table.name} has no column {column}.")


def _count(found: list[tuple[TableName, Pairs]] | list[Pairs]) -> str:
    return "there is more than one" if found else "there is no"


def _problem(entry: RelationshipEntry, sentence: str) -> MetadataError:
    return MetadataError(Problem(entry.position, f"Relationship {entry.name}: {sentence}"))
