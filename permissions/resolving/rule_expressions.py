"""Reads the boolean expression of a permission rule into the expression tree, and says what is wrong with it."""

import re
from collections.abc import Iterable
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from permissions.expressions import (
    FALSE,
    And,
    Compare,
    CompareColumns,
    CompareComputed,
    Constant,
    Exists,
    Expression,
    Not,
    Operand,
    Or,
    Related,
    Returned,
    SessionVariable,
    conjunction,
    disjunction,
)
from permissions.literals import literal, misfit
from permissions.reading.nodes import MetadataError, Node, Problem
from permissions.reading.table_entries import read_table_name
from permissions.session import PREFIX, USER_ID
from schema.model import Catalog, Column, ComputedField, PgType, TrackedTable
from schema.operators import CASTS, COLUMN_OPERATORS, INCOMPARABLE, OPERATORS, Operator, canonical

# An old name of the person's id (Hasura's `isReqUserId`).
_OLD_USER_ID = "req_user_id"
_MEANT_AS_VARIABLE = re.compile(r"\W*x[-_ ]?hasura[-_ ].*", re.IGNORECASE | re.DOTALL)


class RuleReader:
    """Reads the rules of one permission. `problems` grows; an expression with a problem reads as false."""

    def __init__(self, catalog: Catalog, root: TrackedTable, problems: list[Problem]) -> None:
        self.catalog, self.root, self.problems = catalog, root, problems

    def rule(self, node: Node) -> Expression:
        """A whole `filter` or `check`."""
        return self.expression(node, self.root)

    def expression(self, node: Node, table: TrackedTable) -> Expression:
        """Several keys of one mapping all have to hold."""
        try:
            keys = node.mapping("A boolean expression").items()
        except MetadataError as error:
            return self.refuse(*error.problems)
        return conjunction(self.term(key, child, table) for key, child in keys)

    def term(self, key: str, node: Node, table: TrackedTable) -> Expression:
        try:
            match canonical(key):
                case "_and":
                    return conjunction(self.expression(entry, table) for entry in _entries(key, node))
                case "_or":
                    return disjunction(self.expression(entry, table) for entry in _entries(key, node))
                case "_not":
                    return Not(self.expression(node, table))
                case "_exists":
                    return self.exists(node)
            return self.field(key, node, table)
        except MetadataError as error:
            return self.refuse(*error.problems)

    def refuse(self, *problems: Problem) -> Expression:
        self.problems.extend(problems)
        return FALSE

    def exists(self, node: Node) -> Expression:
        node.only(frozenset({"_table", "_where", "$table", "$where"}), "`_exists`")
        parts = {canonical(key): part for key, part in node.mapping("`_exists`").items()}
        if not {"_table", "_where"} <= parts.keys():
            raise node.error("`_exists` needs `_table` and `_where`.")
        if isinstance(parts["_table"].value, dict):
            # Without its schema it would be another table's rows that are asked.
            parts["_table"].only(frozenset({"schema", "name"}), "`_table`")
        name = read_table_name(parts["_table"])
        if name not in self.catalog.tables:
            raise parts["_table"].error(f"The table {name} is not tracked; track it, or choose another one.")
        return Exists(name, self.expression(parts["_where"], self.catalog[name]))

    def field(self, key: str, node: Node, table: TrackedTable) -> Expression:
        if column := table.columns.get(key):
            return self.comparisons(column, node, table)
        if related := table.relationships.get(key):
            return Related(key, self.expression(node, self.catalog[related.target]))
        if computed := table.computed_fields.get(key):
            return self.computed(computed, node, table)
        known = [*table.columns, *table.relationships, *table.computed_fields]
        raise node.error(f"{table.name} has no column or relationship {key}{suggestion(key, known)}")

    def computed(self, field: ComputedField, node: Node, table: TrackedTable) -> Expression:
        """A value is compared as a column's, of rows one has to satisfy the rest."""
        if field.function.given:
            raise node.error(f"{field.name} is a computed field with input arguments; those can't be part of a rule.")
        if field.type is None:
            return Returned(field.name, self.expression(node, self.catalog[field.function.table]))
        # As if it was a column, for what can be said about its value.
        column = Column(field.name, field.name, field.type, nullable=True)
        return _of_field(self.comparisons(column, node, table), node)

    def comparisons(self, column: Column, node: Node, table: TrackedTable) -> Expression:
        """`{_gt: 1, _lt: 9}`, or a bare value, which means `_eq`: null too, and a null equals it (Hasura's `Postgres/DDL/BoolExp.hs`)."""
        if not isinstance(node.value, dict):
            return self.comparison(column, "_eq", node, table)
        return conjunction(self.attempt(column, canonical(name), operand, table) for name, operand in node.value.items())

    def attempt(self, column: Column, name: str, node: Node, table: TrackedTable) -> Expression:
        try:
            return self.comparison(column, name, node, table)
        except MetadataError as error:
            return self.refuse(*error.problems)

    def comparison(self, column: Column, name: str, node: Node, table: TrackedTable) -> Expression:
        if name in COLUMN_OPERATORS:
            return self.column_comparison(column, name, node, table)
        if name == "_cast":
            return self.cast(column, node, table)
        operator = OPERATORS.get(name)
        if operator is None:
            raise node.error(f"Unknown operator: {name}{suggestion(name, [*OPERATORS, *COLUMN_OPERATORS, '_cast'])}")
        is_comparable = operator.operand == "flag" or column.type.is_array or column.type.name not in INCOMPARABLE
        if not (operator.takes(column.type) and is_comparable):
            raise node.error(f"{name} can't be used on {column.name}, which is of type {_named(column.type)}.")
        type_ = operator.operand_type(column.type)
        match operator.operand:
            case "list":
                return _list_comparison(column, operator, node)
            case "flag":
                return Compare(column.name, name, Constant(node.flag(f"`{name}`")))
        return Compare(column.name, name, operand(node, type_))

    def cast(self, column: Column, node: Node, table: TrackedTable) -> Expression:
        """`_cast: {text: {_like: …}}`: the type by PostgreSQL's name, as Hasura has it in rules."""
        target = CASTS.get(column.type)
        terms = []
        for name, operands in node.mapping("`_cast`").items():
            if target is None or name != target.name:
                raise node.error(f"cannot cast column of type {_named(column.type)} to type {name}.")
            # As if it was a column of that type.
            terms.append(_cast(self.comparisons(replace(column, type=target), operands, table), target, operands))
        return conjunction(terms)

    def column_comparison(self, column: Column, name: str, node: Node, table: TrackedTable) -> Expression:
        """The right side: `other`, `[other]`, or `["$", other]` for a column of the rule's root table."""
        path = [part.text("A column") for part in (node.value if isinstance(node.value, list) else [node])]
        if len(path) not in (1, 2) or (len(path) == 2 and path[0] != "$"):
            raise node.error(f"`{name}` takes a column, or [$, column] for a column of the rule's own table.")
        owner = self.root if len(path) == 2 else table
        other = owner.columns.get(path[-1])
        if other is None:
            raise node.error(f"{owner.name} has no column {path[-1]}{suggestion(path[-1], owner.columns)}")
        if other.type != column.type:
            types = f"{column.name} is of type {_named(column.type)}, {other.name} of type {_named(other.type)}"
            raise node.error(f"`{name}` compares columns of one type, but {types}.")
        return CompareColumns(column.name, name, other.name, of_root=len(path) == 2)


def _of_field(expression: Expression, node: Node) -> Expression:
    """Comparisons of a column as those of the computed field of its name."""
    match expression:
        case And(terms):
            return And(tuple(_of_field(term, node) for term in terms))
        case Or(terms):
            return Or(tuple(_of_field(term, node) for term in terms))
        case Compare(field, operator, value, cast):
            return CompareComputed(field, operator, value, cast)
        case CompareColumns(field):
            raise node.error(f"{field} is a computed field; those can't be compared with columns.")
    return expression


def _cast(expression: Expression, type_: PgType, node: Node) -> Expression:
    """Comparisons of a column as those of what it is cast to."""
    match expression:
        case And(terms):
            return And(tuple(_cast(term, type_, node) for term in terms))
        case Or(terms):
            return Or(tuple(_cast(term, type_, node) for term in terms))
        case Compare():
            return replace(expression, cast=type_)
        case CompareColumns(column):
            raise node.error(f"{column} is cast; what is cast can't be compared with columns.")
    return expression


def operand(node: Node, type_: PgType) -> Operand:
    """A session variable or a literal of a rule or a preset. Raises MetadataError when the literal can't be of the type."""
    if isinstance(node.value, str) and (variable := session_variable(node)):
        return variable
    return Constant(_literal(node, type_))


def _literal(node: Node, type_: PgType) -> Any:
    value = node.plain()
    if why := misfit(value, type_):
        raise node.error(f"{why}.")
    return value


def session_variable(node: Node) -> SessionVariable | None:
    """Any text that begins with `x-hasura-`, in whatever case (Hasura: `isSessionVariable`); none stands inside a longer text."""
    text = str(node.value)
    if text.lower().startswith(PREFIX):
        return SessionVariable(text.lower())
    if text.lower() == _OLD_USER_ID:
        return SessionVariable(USER_ID)
    if _MEANT_AS_VARIABLE.fullmatch(text):
        raise node.error(f"{text!r} looks like a session variable, but isn't one; write it like X-Hasura-User-Id.")
    return None


def suggestion(name: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown name."""
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else "."


def _entries(key: str, node: Node) -> list[Node]:
    if node.value is None:
        # An empty `_and:` would be true for every row.
        raise node.error(f"`{key}` has to be a list of boolean expressions.")
    return node.items(f"`{key}`")


def _list_comparison(column: Column, operator: Operator, node: Node) -> Expression:
    """A list of literals, or one session variable that holds an array in PostgreSQL's form `{1,2}`.

    What stands in the list is a literal whatever it looks like (Hasura: `parseCollectableType` of `Postgres/DDL.hs`).
    """
    if not isinstance(node.value, list):
        variable = session_variable(node) if isinstance(node.value, str) else None
        if variable is None:
            raise node.error(f"`{operator.name}` takes a list, or a session variable that holds one.")
        return Compare(column.name, operator.name, variable)
    element = column.type if operator.quantifier else replace(operator.operand_type(column.type), is_array=False)
    values = [_literal(entry, element) for entry in node.value]
    # PostgreSQL has no list of arrays: each is told by its text.
    texts = [literal(value, element) for value in values] if element.is_array else values
    return Compare(column.name, operator.name, Constant(texts))


def _named(type_: PgType) -> str:
    return f"{type_.name}[]" if type_.is_array else type_.name
