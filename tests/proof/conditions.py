"""Random boolean expressions: those of rules, and those that a caller may write."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from tests.proof.schemas import TEXTS, Schema, random_value

SESSION_OF = {"int": "X-Hasura-N", "text": "x-hasura-s"}
_ORDER = ["_eq", "_neq", "_gt", "_lt", "_gte", "_lte"]
_OF_COLUMNS = ["_ceq", "_cneq", "_cgt", "_clt", "_cgte", "_clte"]
Made = dict[str, Any]


def random_session(rng: Random) -> dict[str, str]:
    numbers = ",".join(str(rng.randint(0, 4)) for _ in range(rng.randint(0, 2)))
    return {"x-hasura-n": str(rng.randint(0, 4)), "x-hasura-s": rng.choice(TEXTS), "x-hasura-ns": f"{{{numbers}}}"}


def random_rule(rng: Random, schema: Schema, name: str, root: str | None = None, depth: int = 2) -> Made:
    """A rule over a table as it stands in metadata; `$` means `root`."""
    root, table = root or name, schema[name]
    deeper = lambda: random_rule(rng, schema, name, root, depth - 1)  # noqa: E731 - of the arguments of this call
    kind = rng.choice(["leaf", "leaf", "way", "way", "exists", "and", "or", "not", "computed"] if depth else ["leaf"])
    match kind:
        case "way":
            way = rng.choice(list(table.ways))
            return {way: random_rule(rng, schema, table.ways[way].target, root, depth - 1)}
        case "exists":
            other = rng.choice(list(schema))
            return {"_exists": {"_table": other, "_where": random_rule(rng, schema, other, root, depth - 1)}}
        case "computed":
            return {"more": _compared(rng, "int", session=True)}
    if kind in ("and", "or", "not"):
        return _joined(rng, kind, deeper)
    column = rng.choice(list(table.columns))
    of = table.columns[column].kind
    if rng.random() < 0.2:
        of_root = schema[root].of_kind(of)
        compared: str | list[str] = rng.choice(table.of_kind(of))
        if of_root and rng.random() < 0.5:
            compared = ["$", rng.choice(of_root)]
        return {column: {rng.choice(_OF_COLUMNS[:2] if of == "bool" else _OF_COLUMNS): compared}}
    return {column: _compared(rng, of, session=True)}


def random_alternatives(rng: Random, schema: Schema, name: str) -> Made:
    """A rule as people write them: the row is theirs, or something that it belongs to is."""
    return {"_or": [_mine(rng, schema, name, rng.randint(0, 2)) for _ in range(rng.randint(2, 3))]}


def _mine(rng: Random, schema: Schema, name: str, depth: int) -> Made:
    table = schema[name]
    if depth:
        way = rng.choice(list(table.ways))
        return {way: _mine(rng, schema, table.ways[way].target, depth - 1)}
    column = rng.choice(table.of_kind("int"))
    return {column: rng.choice([{"_eq": "X-Hasura-N"}, {"_in": "X-Hasura-Ns"}, {"_eq": rng.randint(0, 4)}])}


def random_where(
    rng: Random, schema: Schema, name: str, columns: Callable[[str], Sequence[str]], aggregated: Callable[[str], bool], depth: int = 2
) -> Made:
    """A condition of a caller who may read `columns` of a table, none where it is hidden. With depth 0 only columns are compared."""
    table, readable = schema[name], columns(name)
    deeper = lambda: random_where(rng, schema, name, columns, aggregated, depth - 1)  # noqa: E731 - of the arguments of this call
    ways = [way for way in table.ways if columns(table.ways[way].target)]
    kind = rng.choice(["leaf", "leaf", "way", "way", "count", "and", "or", "not"] if depth else ["leaf"])
    if kind == "way" and ways:
        way = rng.choice(ways)
        return {way: random_where(rng, schema, table.ways[way].target, columns, aggregated, depth - 1)}
    counted = [way for way in ways if table.ways[way].many and table.ways[way].how != "function" and aggregated(table.ways[way].target)]
    if kind == "count" and counted:
        way = rng.choice(counted)
        inside = random_where(rng, schema, table.ways[way].target, columns, aggregated, 0)
        return {f"{way}_aggregate": {"count": {"predicate": {rng.choice(_ORDER): rng.randint(0, 2)}, "filter": inside}}}
    if kind in ("and", "or", "not"):
        return _joined(rng, kind, deeper)
    if not readable:
        return {}
    column = rng.choice(readable)
    return {column: _compared(rng, table.columns[column].kind if column in table.columns else "int", session=False)}


def _joined(rng: Random, kind: str, deeper: Callable[[], Made]) -> Made:
    return {"_not": deeper()} if kind == "not" else {f"_{kind}": [deeper() for _ in range(rng.randint(0, 2))]}


def _compared(rng: Random, kind: str, *, session: bool) -> Made:
    chance = rng.random()
    if chance < 0.15:
        return {"_is_null": rng.random() < 0.5}
    if kind == "bool":
        return {rng.choice(["_eq", "_neq"]): rng.random() < 0.5}
    if chance < 0.3:
        if session and kind == "int" and chance < 0.2:
            return {rng.choice(["_in", "_nin"]): "X-Hasura-Ns"}
        return {rng.choice(["_in", "_nin"]): [random_value(rng, kind) for _ in range(rng.randint(0, 2))]}
    if kind == "text" and chance < 0.45:
        return {rng.choice(["_like", "_nlike"]): rng.choice(["a%", "%b", "%"])}
    value = SESSION_OF[kind] if session and chance < 0.65 else random_value(rng, kind)
    return {rng.choice(_ORDER): value}
