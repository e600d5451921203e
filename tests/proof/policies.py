"""A role's write permissions as PostgreSQL's own row security: a third opinion, which decides by itself."""

import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tests.proof.judge import is_variable
from tests.proof.mutations import Write
from tests.proof.roles import Role
from tests.proof.schemas import Row, Schema, quoted

WRITER = "proof_writer"
_SQL = {"eq": "=", "neq": "<>", "gt": ">", "lt": "<", "gte": ">=", "lte": "<=", "like": "LIKE", "nlike": "NOT LIKE"}
_TYPES = {"int": "int", "text": "text", "bool": "boolean"}


def secured(schema: Schema) -> str:
    """Subqueries of policies read views with the owner's eyes: a policy must not read its own table."""
    return "\n".join(
        f"CREATE VIEW plain_{name} AS SELECT * FROM {name}; ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;"
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {WRITER}; GRANT SELECT ON plain_{name} TO {WRITER};"
        f"CREATE POLICY seen ON {name} FOR SELECT TO {WRITER} USING (true);"
        for name in schema
    )


def policies(schema: Schema, role: Role) -> str:
    found = []
    for name in schema:
        if insert := role.insert.get(name):
            found.append(f"CREATE POLICY made ON {name} FOR INSERT TO {WRITER} WITH CHECK ({_rule(schema, name, insert.check)})")
        if update := role.update.get(name):
            check = _rule(schema, name, update.check or {})
            using = _rule(schema, name, update.filter)
            found.append(f"CREATE POLICY changed ON {name} FOR UPDATE TO {WRITER} USING ({using}) WITH CHECK ({check})")
        if delete := role.delete.get(name):
            found.append(f"CREATE POLICY removed ON {name} FOR DELETE TO {WRITER} USING ({_rule(schema, name, delete.filter)})")
    return ";\n".join(found)


def settings(session: Mapping[str, str]) -> str:
    """Session variables where policies look for them."""
    return ";".join(f"SET LOCAL {_name(name)} = '{value}'" for name, value in session.items())


def statement(schema: Schema, write: Write, complete: list[Row], presets: Row) -> str:
    """A plain write as plain SQL; of an insert the `complete` rows."""
    assert write.plain is not None
    kind, table, _, where, sets = write.plain
    if kind == "insert":
        rows = json.dumps(complete).replace("'", "''")
        return f"INSERT INTO {table} SELECT * FROM json_populate_recordset(NULL::{table}, '{rows}')"
    kept = _rule(schema, table, where)
    if kind == "delete":
        return f"DELETE FROM {table} WHERE {kept}"
    changes = ", ".join(f"{name} = {_value(value, schema[table].columns[name].kind)}" for name, value in {**sets, **presets}.items())
    return f"UPDATE {table} SET {changes} WHERE {kept}" if changes else "SELECT"


def _rule(schema: Schema, table: str, rule: Mapping[str, Any]) -> str:
    return _all(schema, rule, table, table, table, itertools.count(1))


def _all(schema: Schema, rule: Mapping[str, Any], table: str, alias: str, root: str, numbers: Iterator[int]) -> str:
    terms = [_term(schema, key, value, table, alias, root, numbers) for key, value in rule.items()]
    return f"({' AND '.join(terms)})" if terms else "true"


def _term(schema: Schema, key: str, value: Any, table: str, alias: str, root: str, numbers: Iterator[int]) -> str:
    if key in ("_and", "_or"):
        parts = [_all(schema, part, table, alias, root, numbers) for part in value]
        return f"({f' {key[1:].upper()} '.join(parts)})" if parts else str(key == "_and").lower()
    if key == "_not":
        return f"(NOT {_all(schema, value, table, alias, root, numbers)})"
    if key == "_exists" or key in schema[table].ways:
        way = schema[table].ways.get(key)
        target, where = (value["_table"], value["_where"]) if way is None else (way.target, value)
        other = f"o{next(numbers)}"
        joined = "true" if way is None else f"{other}.{way.theirs} = {alias}.{way.own}"
        inside = _all(schema, where, target, other, root, numbers)
        return f"EXISTS (SELECT FROM plain_{target} {other} WHERE {joined} AND {inside})"
    if key == "more":
        column, more = schema[table].computed[key]
        return " AND ".join(_compare(f"({alias}.{column} + {more})", name, part, "int", alias, root) for name, part in value.items())
    kind = schema[table].columns[key].kind
    return " AND ".join(_compare(f"{alias}.{key}", name, part, kind, alias, root) for name, part in value.items())


def _compare(left: str, name: str, operand: Any, kind: str, alias: str, root: str) -> str:
    bare = name[1:]
    if bare == "is_null":
        return f"({left} IS {'' if operand else 'NOT '}NULL)"
    if bare.startswith("c"):
        other = f"{root}.{operand[1]}" if isinstance(operand, list) else f"{alias}.{operand}"
        return f"({left} {_SQL[bare[1:]]} {other})"
    if bare in ("in", "nin"):
        values = _value(operand, f"{kind}[]") if is_variable(operand) else f"ARRAY[{', '.join(_value(one, kind) for one in operand)}]"
        return f"({'NOT ' if bare == 'nin' else ''}{left} = ANY ({values}::{_TYPES[kind]}[]))"
    return f"({left} {_SQL[bare]} {_value(operand, kind)})"


def _value(operand: Any, kind: str) -> str:
    type_ = _TYPES[kind.removesuffix("[]")] + ("[]" if kind.endswith("[]") else "")
    if is_variable(operand):
        return f"current_setting('{_name(operand)}')::{type_}"
    return "NULL" if operand is None else f"{quoted(operand)}::{type_}"


def _name(variable: str) -> str:
    return f"proof.{variable.lower().replace('-', '_')}"
