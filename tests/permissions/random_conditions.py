"""Random `where` arguments over the tables of `random_rules`: what a caller may ask."""

from typing import Any

from hypothesis import strategies as st

from tests.permissions.random_rules import COLUMNS, RELATIONSHIPS

_EQUAL, _ORDER, _LIST = ["_eq", "_neq"], ["_gt", "_lt", "_gte", "_lte"], ["_in", "_nin"]
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "int": st.integers(0, 3),
    "text": st.sampled_from(["", "a", "A", "ab", "b", "x-1"]),
    "bool": st.booleans(),
    "text[]": st.lists(st.sampled_from(["a", "b", 'q"\\']), max_size=2),
    "jsonb": st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from([0, 1, "x"]), max_size=2),
    "mood": st.sampled_from(["calm", "glad", "sad"]),
}
_PATTERNS = {
    "_like": ["a%", "_", "%b"],
    "_nlike": ["a%", "_"],
    "_ilike": ["A%", "_"],
    "_similar": ["(a|b)", "[ab]+"],
    "_nsimilar": ["(a|b)"],
    "_regex": ["^a", "b$", "^[aA].?$"],
    "_nregex": ["^a"],
    "_iregex": ["^A"],
}


def conditions(table: str, depth: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """Boolean expressions over a table as GraphQL takes them."""
    leaf = st.sampled_from(sorted(COLUMNS[table])).flatmap(lambda column: _compared(column, COLUMNS[table][column]))
    if depth == 0:
        return st.one_of(leaf, leaf, leaf, st.just({}))
    deeper = st.deferred(lambda: conditions(table, depth - 1))
    related = st.sampled_from(sorted(RELATIONSHIPS[table])).flatmap(
        lambda name: st.fixed_dictionaries({name: conditions(RELATIONSHIPS[table][name][0], depth - 1)})
    )
    several = st.lists(deeper, max_size=3)
    return st.one_of(
        leaf,
        related,
        related,
        several.map(lambda terms: {"_and": terms}),
        several.map(lambda terms: {"_or": terms}),
        deeper.map(lambda term: {"_not": term}),
        st.tuples(leaf, related).map(lambda pair: {**pair[0], **pair[1]}),
    )


def _compared(column: str, kind: str) -> st.SearchStrategy[dict[str, Any]]:
    one = st.one_of(*_operators(kind), st.booleans().map(lambda yes: {"_is_null": yes}))
    return st.tuples(one, one).map(lambda pair: {column: {**pair[0], **pair[1]}})


def _operators(kind: str) -> list[st.SearchStrategy[dict[str, Any]]]:
    values = _VALUES[kind]
    found = [_single(_EQUAL, values)]
    if kind in ("int", "text", "mood"):
        found += [_single(_ORDER, values), _single(_LIST, st.lists(values, max_size=3))]
    if kind == "text":
        found += [_single([name], st.sampled_from(patterns)) for name, patterns in _PATTERNS.items()]
    if kind in ("text[]", "jsonb"):
        found.append(_single(["_contains", "_contained_in"], values))
    if kind == "jsonb":
        keys = st.sampled_from(["a", "b", "c"])
        found += [_single(["_has_key"], keys), _single(["_has_keys_any", "_has_keys_all"], st.lists(keys, max_size=2))]
    return found


def _single(names: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(st.sampled_from(names), values).map(lambda pair: {pair[0]: pair[1]})
