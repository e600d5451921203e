"""Random permissions of a role, as metadata and as what they mean."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from tests.proof.conditions import SESSION_OF, random_alternatives, random_rule
from tests.proof.schemas import Schema, Table, random_value

Rule = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Select:
    columns: frozenset[str]
    filter: Rule
    limit: int | None = None
    aggregations: bool = True
    computed: bool = True


@dataclass(frozen=True, slots=True)
class Insert:
    columns: frozenset[str]
    check: Rule
    presets: Mapping[str, Any]
    backend_only: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    columns: frozenset[str]
    filter: Rule
    check: Rule | None
    presets: Mapping[str, Any]
    backend_only: bool = False


@dataclass(frozen=True, slots=True)
class Delete:
    filter: Rule
    backend_only: bool = False


@dataclass(slots=True)
class Role:
    """`select` has one permission a table, of an inherited role those of its parents."""

    name: str
    select: dict[str, list[Select]] = field(default_factory=dict)
    insert: dict[str, Insert] = field(default_factory=dict)
    update: dict[str, Update] = field(default_factory=dict)
    delete: dict[str, Delete] = field(default_factory=dict)
    parents: tuple[str, ...] = ()

    def readable(self, table: str) -> list[str]:
        """Columns and scalar computed fields, in order."""
        found = {column for one in self.select.get(table, []) for column in one.columns}
        return sorted(found) + (["more"] if any(one.computed for one in self.select.get(table, [])) else [])

    def aggregates(self, table: str) -> bool:
        return any(one.aggregations for one in self.select.get(table, []))

    def limit(self, table: str) -> int | None:
        return max((one.limit for one in self.select[table] if one.limit is not None), default=None)


def random_role(rng: Random, schema: Schema, name: str) -> Role:
    role = Role(name)
    for table in schema.values():
        if rng.random() < 0.9:
            columns = frozenset({"id", *_some(rng, table)})
            filter_ = _rule(rng, schema, table)
            role.select[table.name] = [Select(columns, filter_, rng.choice([None, None, 2]), rng.random() < 0.7, rng.random() < 0.7)]
        backend_only = rng.random() < 0.1
        if rng.random() < 0.8:
            presets = _presets(rng, table)
            columns = frozenset({"id", *table.columns} if rng.random() < 0.6 else {"id", *_some(rng, table)}) - presets.keys()
            role.insert[table.name] = Insert(columns, _rule(rng, schema, table), presets, backend_only)
        if rng.random() < 0.8:
            presets = _presets(rng, table)
            columns = frozenset(_some(rng, table)) - presets.keys() - {"id"}
            check = rng.choice([None, _rule(rng, schema, table)])
            role.update[table.name] = Update(columns, _rule(rng, schema, table), check, presets, backend_only)
        if rng.random() < 0.7:
            role.delete[table.name] = Delete(_rule(rng, schema, table), backend_only)
    return role


def inherited(name: str, parents: list[Role]) -> Role:
    """Rows that any parent sees; what is written is left to a single parent."""
    role = Role(name, parents=tuple(parent.name for parent in parents))
    for table in {table for parent in parents for table in parent.select}:
        role.select[table] = [one for parent in parents for one in parent.select.get(table, [])]
    for kind in ("insert", "update", "delete"):
        for table in {table for parent in parents for table in getattr(parent, kind)}:
            given = [getattr(parent, kind)[table] for parent in parents if table in getattr(parent, kind)]
            if len(given) == 1:
                getattr(role, kind)[table] = given[0]
    return role


def _some(rng: Random, table: Table) -> list[str]:
    return [column for column in table.columns if rng.random() < 0.75]


def _rule(rng: Random, schema: Schema, table: Table) -> Rule:
    chance = rng.random()
    if chance < 0.25:
        return {}
    return random_alternatives(rng, schema, table.name) if chance < 0.5 else random_rule(rng, schema, table.name)


def _presets(rng: Random, table: Table) -> dict[str, Any]:
    if rng.random() < 0.6:
        return {}
    column = rng.choice([name for name in table.columns if name != "id"])
    kind = table.columns[column].kind
    return {column: SESSION_OF[kind] if kind in SESSION_OF and rng.random() < 0.6 else random_value(rng, kind)}


def permissions_of(roles: list[Role], table: Table) -> dict[str, list[dict[str, Any]]]:
    """The permissions of a table's entry, of all roles that inherit from nobody."""
    found: dict[str, list[dict[str, Any]]] = {f"{kind}_permissions": [] for kind in ("select", "insert", "update", "delete")}

    def add(kind: str, role: Role, **permission: Any) -> None:
        found[f"{kind}_permissions"].append({"role": role.name, "permission": permission})

    for role in roles:
        if role.parents:
            continue
        for one in role.select.get(table.name, []):
            limit = {} if one.limit is None else {"limit": one.limit}
            computed = ["more"] if one.computed else []
            columns, aggregated = sorted(one.columns), {"allow_aggregations": one.aggregations}
            add("select", role, columns=columns, filter=one.filter, computed_fields=computed, **aggregated, **limit)
        if insert := role.insert.get(table.name):
            given = {"columns": sorted(insert.columns), "set": dict(insert.presets), "backend_only": insert.backend_only}
            add("insert", role, check=insert.check, **given)
        if update := role.update.get(table.name):
            given = {"columns": sorted(update.columns), "set": dict(update.presets), "backend_only": update.backend_only}
            add("update", role, filter=update.filter, check=update.check, **given)
        if delete := role.delete.get(table.name):
            add("delete", role, filter=delete.filter, backend_only=delete.backend_only)
    return found
