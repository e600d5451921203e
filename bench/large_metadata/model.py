"""Made-up tables, with three relationships each, and what eight roles may do with them: the same for the same number and seed."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

ROLES: Final = ("anonymous", "user", "member", "editor", "manager", "support", "auditor", "partner")
# Columns of every table: (name, type). Each table has the first five, and some of the others.
_COMMON: Final = (("id", "uuid"), ("owner_id", "uuid"), ("tenant_id", "int"), ("name", "text"), ("created_at", "timestamptz"))
_OTHERS: Final = (
    *(("amount", "numeric"), ("quantity", "int"), ("score", "double precision"), ("is_open", "boolean"), ("settings", "jsonb")),
    *(("tags", "text[]"), ("due", "date"), ("position", "bigint"), ("email", "varchar"), ("note", "text"), ("weight", "real")),
)
# One table in so many is an enum, and one has computed fields.
_ENUM_EVERY: Final = 20
_COMPUTED_EVERY: Final = 8

OWNED: Final[dict[str, Any]] = {"owner_id": {"_eq": "X-Hasura-User-Id"}}
OF_TENANT: Final[dict[str, Any]] = {"tenant_id": {"_eq": "X-Hasura-Tenant-Id"}}


@dataclass(slots=True)
class Reference:
    """A foreign key: a relationship on both sides."""

    column: str
    target: "MadeUpTable"

    @property
    def name(self) -> str:
        return self.column.removesuffix("_id")


@dataclass(slots=True)
class MadeUpTable:
    """`state` is the enum table that its column `state` refers to."""

    name: str
    columns: list[tuple[str, str]]
    references: list[Reference] = field(default_factory=list)
    state: str | None = None
    computed: bool = False
    permissions: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)


@dataclass(slots=True)
class MadeUpProduct:
    enums: list[str]
    tables: list[MadeUpTable]

    @property
    def relationships(self) -> int:
        return 2 * sum(len(table.references) for table in self.tables)


def made_up(tables: int, seed: int = 0) -> MadeUpProduct:
    """So many tables, enums among them, with one and a half foreign keys for each and permissions of every role in most."""
    rng = Random(seed)
    enums = [f"state_{number}" for number in range(max(1, tables // _ENUM_EVERY))]
    ordinary = [MadeUpTable(f"thing_{number}", _columns(rng)) for number in range(tables - len(enums))]
    for number, table in enumerate(ordinary):
        table.computed = number % _COMPUTED_EVERY == 0
        table.state = rng.choice(enums) if rng.random() < 0.4 else None
    for number in range(tables * 3 // 2):
        _refer(rng, ordinary[number % len(ordinary)], ordinary)
    for table in ordinary:
        table.permissions.extend(_permissions(rng, table))
    return MadeUpProduct(enums, ordinary)


def _columns(rng: Random) -> list[tuple[str, str]]:
    return [*_COMMON, *rng.sample(_OTHERS, rng.randint(3, 8))]


def _refer(rng: Random, table: MadeUpTable, tables: list[MadeUpTable]) -> None:
    target = rng.choice(tables)
    column = f"of_{target.name}_{len(table.references)}_id"
    table.references.append(Reference(column, target))
    table.columns.append((column, "uuid"))


def _permissions(rng: Random, table: MadeUpTable) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(role, action, permission). The first roles see little, the later ones more."""
    for rank, role in enumerate(ROLES):
        if rng.random() < 0.15 + 0.1 * rank:
            yield role, "select", _select(rng, table)
            if rng.random() < 0.6:
                yield role, "insert", {"columns": _some(rng, table), "check": _rule(rng, table), "set": {"owner_id": "x-hasura-user-id"}}
            if rng.random() < 0.5:
                yield role, "update", {"columns": _some(rng, table), "filter": _rule(rng, table), "check": OF_TENANT}
            if rng.random() < 0.3:
                yield role, "delete", {"filter": _rule(rng, table)}


def _select(rng: Random, table: MadeUpTable) -> dict[str, Any]:
    columns: Any = "*" if rng.random() < 0.4 else ["id", *_some(rng, table)]
    permission = {"columns": columns, "filter": _rule(rng, table), "allow_aggregations": rng.random() < 0.5}
    if table.computed:
        permission["computed_fields"] = ["label"]
    if rng.random() < 0.2:
        permission["limit"] = rng.choice((20, 100, 1000))
    return permission


def _some(rng: Random, table: MadeUpTable) -> list[str]:
    names = [name for name, _ in table.columns if name not in ("id", "owner_id")]
    return sorted(rng.sample(names, rng.randint(2, len(names))))


def _rule(rng: Random, table: MadeUpTable) -> dict[str, Any]:
    """A comparison, a join, one of several things, or another table's rows."""
    joins: list[dict[str, Any]] = [{reference.name: OWNED} for reference in table.references]
    joins.append({"_exists": {"_table": {"schema": "public", "name": "thing_0"}, "_where": OWNED}})
    match rng.randrange(5):
        case 0:
            return {}
        case 1:
            return OWNED
        case 2:
            return {"_and": [OF_TENANT, rng.choice(joins)]}
        case 3:
            return {"_or": [OWNED, rng.choice(joins)]}
    return {"_or": [OWNED, {"_and": [OF_TENANT, {"_not": {"name": {"_is_null": True}}}]}, *joins]}
