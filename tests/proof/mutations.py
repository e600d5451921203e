"""Random writes of a role: documents, and what they do to a store."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.proof.conditions import random_where
from tests.proof.documents import Document, Word
from tests.proof.roles import Role
from tests.proof.schemas import Row, Schema, random_value
from tests.proof.writes import Conflict, Store

# Kind, table, and of an insert the rows, of others the condition and what is set.
Plain = tuple[str, str, list[Row], dict[str, Any], Row]


@dataclass(frozen=True, slots=True)
class Write:
    """`run` does to a store what the document asks for; `plain` is the same for row security, where it can say it.

    With `null_of_none` it says null where a column has none: Hasura refuses it before anything runs.
    """

    query: str
    variables: dict[str, Any]
    backend_only: bool
    run: Callable[[Store], None]
    plain: Plain | None = None
    null_of_none: bool = False


def random_write(rng: Random, schema: Schema, role: Role) -> Write | None:
    """None when the role can't write like this anywhere."""
    kind = rng.choice(["insert", "upsert", "nested", "update", "update", "many", "delete"])
    permitted = {"insert": set(role.insert), "update": set(role.update), "delete": set(role.delete)}
    tables = sorted(permitted[{"upsert": "insert", "nested": "insert", "many": "update"}.get(kind, kind)])
    if not tables:
        return None
    table = rng.choice(tables)
    document = Document(rng)
    if kind == "delete":
        return _delete(rng, schema, role, table, document)
    if kind in ("update", "many"):
        return _update(rng, schema, role, table, document, many=kind == "many")
    return _insert(rng, schema, role, table, document, kind)


def _where(rng: Random, schema: Schema, role: Role, table: str, depth: int) -> dict[str, Any]:
    return {} if rng.random() < 0.3 else random_where(rng, schema, table, role.readable, role.aggregates, depth)


def _answer(root: str, arguments: str) -> str:
    return f"found: {root}{arguments} {{ affected_rows }}"


def _delete(rng: Random, schema: Schema, role: Role, table: str, document: Document) -> Write:
    depth = rng.choice([0, 2])
    where = _where(rng, schema, role, table, depth)
    root = _answer(f"delete_{table}", document.arguments({"where": (f"{table}_bool_exp!", where)}))

    def run(store: Store) -> None:
        store.delete(table, where)

    plain: Plain | None = ("delete", table, [], where, {}) if _is_plain(role, table, where, depth) else None
    return Write(document.text("mutation", root), document.values, role.delete[table].backend_only, run, plain)


def _is_plain(role: Role, table: str, where: dict[str, Any], depth: int) -> bool:
    """Whether a condition is over stored columns alone."""
    return depth == 0 and "more" not in where and len(role.select.get(table, [])) <= 1


def _update(rng: Random, schema: Schema, role: Role, table: str, document: Document, *, many: bool) -> Write | None:
    rule = role.update[table]
    if not rule.columns:
        return None
    depth = rng.choice([0, 2])
    changes = [_change(rng, schema, role, table, depth) for _ in range(rng.randint(1, 3) if many else 1)]
    if many:
        updates = [{"where": where, **_operators(sets, more)} for where, sets, more in changes]
        root = _answer(f"update_{table}_many", document.arguments({"updates": (f"[{table}_updates!]!", updates)}))
    else:
        where, sets, more = changes[0]
        given: dict[str, tuple[str, Any]] = {"where": (f"{table}_bool_exp!", where)}
        given |= {name: (f"{table}{name}_input", value) for name, value in _operators(sets, more).items()}
        root = _answer(f"update_{table}", document.arguments(given))

    def run(store: Store) -> None:
        for where, sets, more in changes:
            store.update(table, where, sets, more)

    where, sets, more = changes[0]
    plain: Plain | None = ("update", table, [], where, sets) if not many and not more and _is_plain(role, table, where, depth) else None
    null_of_none = any(_says_null_of_none(schema, table, sets) for _, sets, _ in changes)
    return Write(document.text("mutation", root), document.values, rule.backend_only, run, plain, null_of_none)


def _operators(sets: Row, more: Row) -> dict[str, Row]:
    return {name: values for name, values in (("_set", sets), ("_inc", more)) if values}


def _change(rng: Random, schema: Schema, role: Role, table: str, depth: int) -> tuple[dict[str, Any], Row, Row]:
    tracked, columns = schema[table], sorted(role.update[table].columns)
    sets = {name: _written(rng, schema, table, name) for name in rng.sample(columns, rng.randint(0, min(2, len(columns))))}
    unique = {name for columns in tracked.uniques.values() for name in columns}
    numbers = [name for name in columns if name in tracked.of_kind("int") and name not in sets and name not in unique]
    more = {name: rng.randint(-2, 2) for name in numbers if rng.random() < 0.3}
    return _where(rng, schema, role, table, depth), sets, more


def _written(rng: Random, schema: Schema, table: str, name: str) -> Any:
    column = schema[table].columns[name]
    return None if rng.random() < 0.1 else random_value(rng, column.kind)


def _insert(rng: Random, schema: Schema, role: Role, table: str, document: Document, kind: str) -> Write:
    nested = kind == "nested"
    objects = [_object(rng, schema, role, table, set(), 2 if nested else 0) for _ in range(rng.randint(1, 2 if nested else 3))]
    given: dict[str, tuple[str, Any]] = {"objects": (f"[{table}_insert_input!]!", objects)}
    conflict = None
    if kind == "upsert" and (update := role.update.get(table)) and not update.backend_only:
        constraint = rng.choice(sorted(schema[table].uniques))
        columns = rng.sample(sorted(update.columns), rng.randint(0, min(2, len(update.columns))))
        conflict = Conflict(constraint, tuple(columns), _where(rng, schema, role, table, 1))
        words = {"constraint": Word(constraint), "update_columns": [Word(name) for name in columns], "where": conflict.where}
        given["on_conflict"] = f"{table}_on_conflict", words
    root = _answer(f"insert_{table}", document.arguments(given))

    def run(store: Store) -> None:
        if conflict is None:
            store.nested_rows(table, objects, {})
        else:
            store.insert(table, objects, conflict)

    plain: Plain | None = ("insert", table, objects, {}, {}) if kind == "insert" else None
    null_of_none = any(_says_null_of_none(schema, table, row) for row in objects)
    return Write(document.text("mutation", root), document.values, role.insert[table].backend_only, run, plain, null_of_none)


def _says_null_of_none(schema: Schema, table: str, row: Row) -> bool:
    """Also in what is nested in it."""
    tracked = schema[table]
    for name, value in row.items():
        if way := tracked.ways.get(name):
            inside = value["data"] if isinstance(value["data"], list) else [value["data"]]
            if any(_says_null_of_none(schema, way.target, one) for one in inside):
                return True
        elif value is None and not tracked.columns[name].nullable:
            return True
    return False


def _object(rng: Random, schema: Schema, role: Role, table: str, without: set[str], depth: int) -> Row:
    """A row with what is nested in it; what other rows give it is not in it."""
    tracked, rule = schema[table], role.insert[table]
    below: Row = {}
    taken = set(without)
    for name, way in tracked.ways.items():
        target = role.insert.get(way.target)
        if way.how not in ("forward", "back") or not depth or target is None or target.backend_only or rng.random() < 0.5:
            continue
        if way.how == "forward" and way.own in taken:
            continue
        hidden = set() if way.how == "forward" else {way.theirs}
        taken |= {way.own} if way.how == "forward" else set()
        several = 1 if way.how == "forward" else rng.randint(1, 2)
        inside = [_object(rng, schema, role, way.target, hidden, depth - 1) for _ in range(several)]
        below[name] = {"data": inside[0] if way.how == "forward" else inside}
    row = {"id": rng.randint(1, 12)} if "id" in rule.columns else {}
    for name in sorted(rule.columns - taken - {"id"}):
        if rng.random() < 0.8:
            row[name] = rng.randint(1, 4) if name in tracked.keys else _written(rng, schema, table, name)
    return row | below
