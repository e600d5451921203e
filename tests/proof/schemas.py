"""Random tables that refer to each other and to themselves, as SQL, as metadata, and filled with rows."""

from dataclasses import dataclass, field
from random import Random
from typing import Any

Row = dict[str, Any]
Rows = dict[str, list[Row]]

TEXTS = ["", "a", "A", "ab", "b"]
_TYPES = {"int": "int", "text": 'text COLLATE "C"', "bool": "boolean"}


@dataclass(frozen=True, slots=True)
class Column:
    kind: str
    nullable: bool = True
    default: Any = None


@dataclass(frozen=True, slots=True)
class Way:
    """A relationship, or a function of the row that returns rows: `own` of this row equals `theirs` of the other."""

    target: str
    own: str
    theirs: str
    many: bool
    how: str  # "forward", "back", "manual", "function"


@dataclass(slots=True)
class Table:
    """`uniques` are the constraints by name, `keys` the foreign keys: to which table's id, and whether rows go with it.

    With `indexed` columns the engine finds rows in another way, and must find the same.
    """

    name: str
    columns: dict[str, Column]
    uniques: dict[str, tuple[str, ...]]
    keys: dict[str, tuple[str, bool]]
    indexed: list[str]
    ways: dict[str, Way] = field(default_factory=dict)
    # A column and what is added to it.
    computed: dict[str, tuple[str, int]] = field(default_factory=dict)

    def of_kind(self, kind: str) -> list[str]:
        return [name for name, column in self.columns.items() if column.kind == kind]


Schema = dict[str, Table]


def random_value(rng: Random, kind: str) -> Any:
    if kind == "int":
        return rng.randint(0, 4)
    return rng.choice(TEXTS) if kind == "text" else rng.random() < 0.5


def random_schema(rng: Random, number: int) -> Schema:
    schema: Schema = {}
    for letter in "abc":
        name = f"t{number}{letter}"
        schema[name] = _table(rng, name, list(schema))
    for table in list(schema.values()):
        for column, (target, _) in table.keys.items():
            table.ways[f"to_{column}"] = Way(target, column, "id", many=False, how="forward")
            schema[target].ways[f"{table.name}_by_{column}"] = Way(table.name, "id", column, many=True, how="back")
    for table in schema.values():
        other = rng.choice(list(schema.values()))
        pair = rng.choice(table.of_kind("int")), rng.choice(other.of_kind("int"))
        table.ways["alike"] = Way(other.name, *pair, many=True, how=rng.choice(["manual", "function"]))
        table.computed["more"] = rng.choice(table.of_kind("int")), rng.randint(0, 2)
    return schema


def _table(rng: Random, name: str, earlier: list[str]) -> Table:
    columns = {"id": Column("int", nullable=False)}
    for index in range(rng.randint(2, 4)):
        kind = rng.choice(["int", "int", "text", "bool"])
        default = random_value(rng, kind) if rng.random() < 0.3 else None
        columns[f"{kind[0]}{index}"] = Column(kind, rng.random() < 0.7, default)
    keys: dict[str, tuple[str, bool]] = {}
    for target in rng.sample([*earlier, name], rng.randint(0 if not earlier else 1, min(2, len(earlier) + 1))):
        column = f"{target[-1]}_id"
        columns[column] = Column("int", target == name or rng.random() < 0.7)
        keys[column] = (target, False)
    # The last table may go with what it belongs to: nothing refers to it, and it to one thing.
    if name[-1] == "c" and len(keys) == 1 and name not in [target for target, _ in keys.values()]:
        keys = {column: (target, rng.random() < 0.6) for column, (target, _) in keys.items()}
    uniques: dict[str, tuple[str, ...]] = {f"{name}_pkey": ("id",)}
    free = [other for other in columns if other != "id"]
    if rng.random() < 0.6:
        uniques[f"{name}_only"] = tuple(rng.sample(free, rng.randint(1, 2)))
    return Table(name, columns, uniques, keys, [other for other in free if rng.random() < 0.7])


def ddl(schema: Schema) -> str:
    return "\n".join([*(_create(table) for table in schema.values()), *(_functions(table) for table in schema.values())])


def _create(table: Table) -> str:
    parts = [f"{name} {_column(column)}" for name, column in table.columns.items()]
    parts += [
        f"CONSTRAINT {name} {'PRIMARY KEY' if columns == ('id',) and name.endswith('_pkey') else 'UNIQUE'} ({', '.join(columns)})"
        for name, columns in table.uniques.items()
    ]
    parts += [
        f"FOREIGN KEY ({column}) REFERENCES {target}{' ON DELETE CASCADE' if cascades else ''}"
        for column, (target, cascades) in table.keys.items()
    ]
    indexes = [
        f"CREATE INDEX ON {table.name} ({column}, {other});" for column in table.indexed for other in table.columns if other != column
    ]
    return f"CREATE TABLE {table.name} ({', '.join(parts)}); {' '.join(indexes)}"


def _column(column: Column) -> str:
    default = "" if column.default is None else f" DEFAULT {quoted(column.default)}"
    return f"{_TYPES[column.kind]}{'' if column.nullable else ' NOT NULL'}{default}"


def quoted(value: Any) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value).lower()


def _functions(table: Table) -> str:
    name, (column, more) = table.name, table.computed["more"]
    found = [
        f"CREATE FUNCTION {name}_more(r {name}) RETURNS int LANGUAGE sql STABLE AS 'SELECT r.{column} + {more}';",
        f"CREATE FUNCTION {name}_from(lowest int) RETURNS SETOF {name} LANGUAGE sql STABLE AS 'SELECT * FROM {name} WHERE id >= lowest';",
    ]
    found += [
        f"CREATE FUNCTION {name}_{way_name}(r {name}) RETURNS SETOF {way.target} LANGUAGE sql STABLE "
        f"AS 'SELECT * FROM {way.target} o WHERE o.{way.theirs} = r.{way.own}';"
        for way_name, way in table.ways.items()
        if way.how == "function"
    ]
    return "\n".join(found)


def table_metadata(table: Table) -> dict[str, Any]:
    """The entry of a table without its permissions."""
    objects: list[Any] = []
    arrays: list[Any] = []
    computed = [{"name": "more", "definition": {"function": f"{table.name}_more"}}]
    for name, way in table.ways.items():
        match way.how:
            case "forward":
                objects.append({"name": name, "using": {"foreign_key_constraint_on": way.own}})
            case "back":
                arrays.append({"name": name, "using": {"foreign_key_constraint_on": {"table": way.target, "column": way.theirs}}})
            case "manual":
                using = {"manual_configuration": {"remote_table": way.target, "column_mapping": {way.own: way.theirs}}}
                arrays.append({"name": name, "using": using})
            case "function":
                computed.append({"name": name, "definition": {"function": f"{table.name}_{name}"}})
    return {"table": table.name, "object_relationships": objects, "array_relationships": arrays, "computed_fields": computed}


def random_rows(rng: Random, schema: Schema) -> Rows:
    """Three or four rows a table, of which those are left that break no constraint."""
    rows: Rows = {}
    for table in schema.values():
        kept: list[Row] = []
        rows[table.name] = kept
        for id_ in range(1, rng.randint(4, 5)):
            row = {name: _cell(rng, table, name, rows, id_) for name in table.columns}
            complete = all(row[name] is not None or column.nullable for name, column in table.columns.items())
            if complete and not any(clashes(row, other, columns) for other in kept for columns in table.uniques.values()):
                kept.append(row)
    return rows


def _cell(rng: Random, table: Table, name: str, rows: Rows, id_: int) -> Any:
    if name == "id":
        return id_
    column = table.columns[name]
    if column.nullable and rng.random() < 0.25:
        return None
    if name not in table.keys:
        return random_value(rng, column.kind)
    there = [row["id"] for row in rows[table.keys[name][0]]]
    return rng.choice(there) if there else None


def clashes(row: Row, other: Row, columns: tuple[str, ...]) -> bool:
    """Whether a unique constraint stands between two rows: nulls are all different."""
    return all(row[name] is not None and row[name] == other[name] for name in columns)
