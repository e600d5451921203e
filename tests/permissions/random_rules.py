"""Random rows, sessions and rules over three tables that refer to each other and to themselves."""

from typing import Any

from hypothesis import strategies as st

TABLES = """
CREATE TYPE mood AS ENUM ('calm', 'glad', 'sad');
CREATE TABLE team (id int PRIMARY KEY, name text COLLATE "C", lead int, size int);
CREATE TABLE person (
  id int PRIMARY KEY, team_id int REFERENCES team, manager_id int REFERENCES person, age int, nick text COLLATE "C",
  active boolean NOT NULL, tags text[], info jsonb, mood mood
);
CREATE TABLE task (
  id int PRIMARY KEY, owner_id int NOT NULL REFERENCES person, helper_id int REFERENCES person, points int NOT NULL, title text COLLATE "C"
);
"""

COLUMNS: dict[str, dict[str, str]] = {
    "team": {"id": "int", "name": "text", "lead": "int", "size": "int"},
    "person": {
        "id": "int",
        "team_id": "int",
        "manager_id": "int",
        "age": "int",
        "nick": "text",
        "active": "bool",
        "tags": "text[]",
        "info": "jsonb",
        "mood": "mood",
    },
    "task": {"id": "int", "owner_id": "int", "helper_id": "int", "points": "int", "title": "text"},
}
NOT_NULL = {("team", "id"), ("person", "id"), ("person", "active"), ("task", "id"), ("task", "owner_id"), ("task", "points")}

# Name → target table, own column, target's column.
RELATIONSHIPS: dict[str, dict[str, tuple[str, str, str]]] = {
    "team": {"people": ("person", "id", "team_id"), "leader": ("person", "lead", "id")},
    "person": {
        "team": ("team", "team_id", "id"),
        "manager": ("person", "manager_id", "id"),
        "reports": ("person", "id", "manager_id"),
        "tasks": ("task", "id", "owner_id"),
        "helped": ("task", "id", "helper_id"),
        "peers": ("person", "team_id", "team_id"),
    },
    "task": {"owner": ("person", "owner_id", "id"), "helper": ("person", "helper_id", "id")},
}


def _manual(table: str, column: str, other: str) -> dict[str, Any]:
    return {"manual_configuration": {"remote_table": table, "column_mapping": {column: other}}}


# The same as metadata: by foreign key, against one, and by hand.
_BY_HAND = {"leader", "peers"}
_FORWARD = {"team", "manager", "owner", "helper"}


def relationships(table: str) -> dict[str, list[dict[str, Any]]]:
    """`object_relationships` and `array_relationships` of a table."""
    objects: list[dict[str, Any]] = []
    arrays: list[dict[str, Any]] = []
    for name, (target, own, other) in RELATIONSHIPS[table].items():
        if name in _BY_HAND:
            arrays.append({"name": name, "using": _manual(target, own, other)})
        elif name in _FORWARD:
            objects.append({"name": name, "using": {"foreign_key_constraint_on": own}})
        else:
            arrays.append({"name": name, "using": {"foreign_key_constraint_on": {"table": target, "column": other}}})
    return {"object_relationships": objects, "array_relationships": arrays}


_IDS = st.integers(1, 3)
_NUMBERS = st.integers(0, 3)
_TEXTS = st.sampled_from(["", "a", "A", "ab", "b", "a%", "x-1"])
_MOODS = st.sampled_from(["calm", "glad", "sad"])
_LISTS = st.lists(st.sampled_from(["a", "b", 'q"\\']), max_size=2)
_DOCUMENTS = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from([0, 1, "x"]), max_size=2)
# SIMILAR TO and regular expressions that mean the same in Python.
PATTERNS = {"_like": ["a%", "_", "%b", "a\\%"], "_similar": ["(a|b)", "a%", "[ab]+"], "_regex": ["^a", "b$", "^[aA].?$"]}

SESSIONS = st.fixed_dictionaries(
    {
        "x-hasura-n": _NUMBERS.map(str),
        "x-hasura-s": _TEXTS,
        "x-hasura-ns": st.lists(_NUMBERS, max_size=2).map(lambda numbers: "{" + ",".join(map(str, numbers)) + "}"),
    }
)


def _row(columns: dict[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    """Three or four rows with ids from 1."""
    rows = st.lists(st.fixed_dictionaries(columns), min_size=3, max_size=4)
    return rows.map(lambda found: [{"id": number, **row} for number, row in enumerate(found, 1)])


@st.composite
def databases(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """Rows of all three tables; references are null or meet a row."""
    none = st.none()
    team = draw(_row({"name": none | _TEXTS, "lead": none | _IDS, "size": none | _NUMBERS}))
    teams = st.integers(1, len(team))
    person = draw(
        _row(
            {
                "team_id": none | teams,
                # Of the rows there are, everybody may report to the first.
                "manager_id": none | st.just(1),
                "age": none | _NUMBERS,
                "nick": none | _TEXTS,
                "active": st.booleans(),
                "tags": none | _LISTS,
                "info": none | _DOCUMENTS,
                "mood": none | _MOODS,
            }
        )
    )
    people = st.integers(1, len(person))
    task = draw(_row({"owner_id": people, "helper_id": none | people, "points": _NUMBERS, "title": none | _TEXTS}))
    return {"team": team, "person": person, "task": task}


def rules(table: str, root: str | None = None, depth: int = 3) -> st.SearchStrategy[dict[str, Any]]:
    """Boolean expressions over a table as they stand in metadata; `$` means `root`."""
    root = root or table
    leaf = st.sampled_from(sorted(COLUMNS[table])).flatmap(lambda column: _comparison(table, column, root))
    if depth == 0:
        return st.one_of(leaf, leaf, leaf, st.just({}))
    deeper = st.deferred(lambda: rules(table, root, depth - 1))
    related = st.sampled_from(sorted(RELATIONSHIPS[table])).flatmap(
        lambda name: st.fixed_dictionaries({name: rules(RELATIONSHIPS[table][name][0], root, depth - 1)})
    )
    exists = st.sampled_from(sorted(COLUMNS)).flatmap(
        lambda name: st.fixed_dictionaries(
            {"_exists": st.fixed_dictionaries({"_table": st.just(name), "_where": rules(name, root, depth - 1)})}
        )
    )
    several = st.lists(deeper, max_size=3)
    return st.one_of(
        leaf,
        related,
        related,
        exists,
        several.map(lambda terms: {"_and": terms}),
        several.map(lambda terms: {"_or": terms}),
        deeper.map(lambda term: {"_not": term}),
        st.tuples(leaf, related).map(lambda pair: {**pair[0], **pair[1]}),
    )


def _comparison(table: str, column: str, root: str) -> st.SearchStrategy[dict[str, Any]]:
    kind = COLUMNS[table][column]
    operators = {
        "int": _int(table, root),
        "text": _text(table, root),
        "bool": _bool(),
        "text[]": _array(),
        "jsonb": _json(),
        "mood": _mood(),
    }
    one = operators[kind] | st.booleans().map(lambda yes: {"_is_null": yes})
    both = st.tuples(one, one).map(lambda pair: {**pair[0], **pair[1]})
    return (one | both).map(lambda found: {column: found})


def _single(names: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(st.sampled_from(names), values).map(lambda pair: {pair[0]: pair[1]})


_EQUAL = ["_eq", "_neq", "_ne", "$eq"]
_ORDER = ["_gt", "_lt", "_gte", "_lte"]
_COLUMN = ["_ceq", "_cneq", "_cne", "_cgt", "_clt", "_cgte", "_clte"]


def _columns(table: str, root: str, kind: str) -> st.SearchStrategy[dict[str, Any]]:
    own = [name for name, of in COLUMNS[table].items() if of == kind]
    of_root = [["$", name] for name, of in COLUMNS[root].items() if of == kind]
    return _single(_COLUMN, st.sampled_from([*own, *of_root]))


def _int(table: str, root: str) -> st.SearchStrategy[dict[str, Any]]:
    value = _NUMBERS | st.just("X-Hasura-N")
    many = st.lists(_NUMBERS | st.none(), max_size=3) | st.just("X-Hasura-Ns")
    return st.one_of(
        _single(_EQUAL, value | st.none()), _single(_ORDER, value), _single(["_in", "_nin"], many), _columns(table, root, "int")
    )


def _text(table: str, root: str) -> st.SearchStrategy[dict[str, Any]]:
    value = _TEXTS | st.just("x-hasura-s")
    likes = [_single([name, f"_n{name[1:]}"], st.sampled_from(patterns)) for name, patterns in PATTERNS.items()]
    loose = [
        _single(["_ilike", "_nilike"], st.sampled_from(PATTERNS["_like"])),
        _single(["_iregex", "_niregex"], st.sampled_from(PATTERNS["_regex"])),
    ]
    return st.one_of(
        _single([*_EQUAL, *_ORDER], value),
        # In a list it is a literal.
        _single(["_in", "_nin"], st.lists(value, max_size=3)),
        _columns(table, root, "text"),
        *likes,
        *loose,
    )


def _bool() -> st.SearchStrategy[dict[str, Any]]:
    return _single(_EQUAL, st.booleans() | st.none())


def _mood() -> st.SearchStrategy[dict[str, Any]]:
    return _single(_EQUAL, _MOODS | st.none()) | _single(_ORDER, _MOODS) | _single(["_in", "_nin"], st.lists(_MOODS, max_size=2))


def _array() -> st.SearchStrategy[dict[str, Any]]:
    return _single(["_eq", "_neq", "_contains", "_contained_in"], _LISTS)


def _json() -> st.SearchStrategy[dict[str, Any]]:
    keys = st.sampled_from(["a", "b", "c"])
    return st.one_of(
        _single(["_eq", "_neq", "_contains", "_contained_in"], _DOCUMENTS),
        _single(["_has_key"], keys),
        _single(["_has_keys_any", "_has_keys_all"], st.lists(keys, max_size=2)),
    )
