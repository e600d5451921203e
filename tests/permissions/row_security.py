"""The same rules as row-level-security policies: a second way into SQL, written from Hasura's description alone."""

import itertools
import json
from typing import Any

from tests.permissions.random_rules import COLUMNS, NOT_NULL, RELATIONSHIPS

READER = "policy_reader"

# Subqueries of a policy read these views: the owner's eyes see all rows, and a policy must not read its own table.
SETUP = f"""
CREATE SCHEMA plain;
CREATE ROLE {READER};
GRANT USAGE ON SCHEMA plain TO {READER};
""" + "\n".join(
    f"""
CREATE VIEW plain.{table} AS SELECT * FROM public.{table};
ALTER TABLE public.{table} ENABLE ROW LEVEL SECURITY;
GRANT SELECT ON public.{table}, plain.{table} TO {READER};
"""
    for table in COLUMNS
)

_SQL = {
    "_eq": "=",
    "_neq": "<>",
    "_gt": ">",
    "_lt": "<",
    "_gte": ">=",
    "_lte": "<=",
    "_like": "LIKE",
    "_nlike": "NOT LIKE",
    "_ilike": "ILIKE",
    "_nilike": "NOT ILIKE",
    "_similar": "SIMILAR TO",
    "_nsimilar": "NOT SIMILAR TO",
    "_regex": "~",
    "_nregex": "!~",
    "_iregex": "~*",
    "_niregex": "!~*",
    "_contains": "@>",
    "_contained_in": "<@",
    "_has_key": "?",
    "_has_keys_any": "?|",
    "_has_keys_all": "?&",
}
_ALIASES = {"$eq": "_eq", "_ne": "_neq", "_cne": "_cneq"}


def policy(rule: Any, table: str) -> str:
    """CREATE POLICY for the select rule of the reader on a table."""
    return f"CREATE POLICY rule ON public.{table} FOR SELECT TO {READER} USING ({_Writer(table).rule(rule, table, table)})"


class _Writer:
    def __init__(self, root: str) -> None:
        self.root, self.numbers = root, itertools.count(1)

    def rule(self, rule: Any, table: str, alias: str) -> str:
        return _joined("AND", "true", [self.term(key, value, table, alias) for key, value in rule.items()])

    def term(self, key: str, value: Any, table: str, alias: str) -> str:
        if key in ("_and", "_or"):
            neutral = "true" if key == "_and" else "false"
            return _joined(key[1:].upper(), neutral, [self.rule(part, table, alias) for part in value])
        if key == "_not":
            return f"(NOT {self.rule(value, table, alias)})"
        if key == "_exists":
            return self.exists(value["_table"], "true", value["_where"])
        if key in RELATIONSHIPS[table]:
            target, own, theirs = RELATIONSHIPS[table][key]
            return self.exists(target, f"{{}}.{theirs} = {alias}.{own}", value)
        column = f"{alias}.{key}"
        nullable = (table, key) not in NOT_NULL
        terms = [self.compare(_ALIASES.get(name, name), part, column, alias, COLUMNS[table][key], nullable) for name, part in value.items()]
        return _joined("AND", "true", terms)

    def exists(self, table: str, join: str, where: Any) -> str:
        alias = f"{table}_{next(self.numbers)}x"
        return f"EXISTS (SELECT 1 FROM plain.{table} {alias} WHERE {join.format(alias)} AND {self.rule(where, table, alias)})"

    def compare(self, name: str, operand: Any, column: str, alias: str, kind: str, nullable: bool) -> str:
        if name == "_is_null":
            return f"({column} IS {'' if operand else 'NOT '}NULL)"
        if name.startswith("_c") and f"_{name[2:]}" in _SQL:
            other = f"{self.root}.{operand[1]}" if isinstance(operand, list) else f"{alias}.{operand}"
            return f"({column} {_SQL['_' + name[2:]]} {other})"
        if name in ("_in", "_nin"):
            return _member(name, column, operand, kind)
        right = _value(operand, "text" if name.startswith("_has_key") else kind)
        if name in ("_eq", "_neq") and nullable:
            same = "IS NULL" if name == "_eq" else "IS NOT NULL"
            return f"(({column} {_SQL[name]} {right}) OR ({column} {same} AND {right} IS NULL))"
        return f"({column} {_SQL[name]} {right})"


def _joined(word: str, neutral: str, terms: list[str]) -> str:
    return f"({f' {word} '.join(terms)})" if terms else neutral


def _member(name: str, column: str, operand: Any, kind: str) -> str:
    if isinstance(operand, str):
        found = f"({column} = ANY ({_setting(operand)}::{kind}[]))"
    elif operand:
        found = f"({column} IN ({', '.join(_literal(each, kind) for each in operand)}))"
    else:
        found = "false"
    return found if name == "_in" else f"(NOT {found})"


def _value(operand: Any, kind: str) -> str:
    if isinstance(operand, str) and operand.lower().startswith("x-hasura-"):
        return f"{_setting(operand)}::{kind}"
    return _literal(operand, kind)


def _literal(operand: Any, kind: str) -> str:
    if operand is None:
        return f"NULL::{kind}"
    if isinstance(operand, list):
        return f"ARRAY[{', '.join(_quoted(each) for each in operand)}]::text[]"
    return f"{_quoted(json.dumps(operand) if kind == 'jsonb' else str(operand))}::{kind}"


def _setting(variable: str) -> str:
    return f"current_setting('rule.{variable.lower().replace('-', '_')}')"


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
