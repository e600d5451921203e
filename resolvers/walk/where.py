"""`where` arguments as boolean expressions."""

from collections.abc import Callable, Iterator
from typing import Any

from graphql import GraphQLInputField, GraphQLInputObjectType, get_named_type

from permissions.errors import GraphQLRefusal
from permissions.expressions import (
    TRUE,
    And,
    Compare,
    CompareComputed,
    Constant,
    Expression,
    Not,
    Operand,
    Or,
    Related,
    Returned,
    Rule,
    conjunction,
)
from resolvers.documents.input_value import InputValue
from resolvers.documents.limits import VALUE
from resolvers.walk.rule_costs import CALL
from resolvers.walk.walk import Walk, unknown_field
from schema.model import PgType, TableName
from schema.table_types.meaning import Comparison, Logic, OfColumn, OfComputedField, OfRelationship, meaning_of

_TEXT = PgType("text")
# Makes the comparison by an operator's name and what stands on its right.
Comparing = Callable[[str, Operand], Compare | CompareComputed]


def input_fields(walk: Walk, value: InputValue, type_: GraphQLInputObjectType) -> Iterator[tuple[GraphQLInputField, InputValue]]:
    """The given keys of an input object with their definitions, variables replaced; an absent variable counts as null.

    Raises for keys that the role's type has not.
    """
    for name, entry in value.entries(type_.name).items():
        walk.budget.spend(VALUE, entry.path)
        definition = type_.fields.get(name)
        if definition is None:
            raise unknown_field(name, type_.name, entry.path)
        resolved = entry.resolved(definition.type)
        yield definition, InputValue(None, entry.path, walk.variables) if resolved is None else resolved


def boolean(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, table: TableName) -> Expression:
    """The expression over rows of `table`. Keys of one object hold together; null is refused, as Hasura does since v2."""
    if value.is_null:
        raise value.null(type_.name)
    with walk.budget.deeper(value.path):
        walk.budget.spend(VALUE, value.path)
        return conjunction([_term(walk, field, entry, type_, table) for field, entry in input_fields(walk, value, type_)])


def _term(walk: Walk, field: GraphQLInputField, value: InputValue, type_: GraphQLInputObjectType, table: TableName) -> Expression:
    inner: Any = get_named_type(field.type)
    match meaning_of(field):
        case Logic("_not"):
            return Not(boolean(walk, value, type_, table))
        case Logic(operator):
            if value.is_null:
                raise GraphQLRefusal("validation-failed", "expected a list, but found null", value.path)
            terms = tuple(boolean(walk, item, type_, table) for item in value.items(type_))
            return And(terms) if operator == "_and" else Or(terms)
        case OfColumn(_, column):
            left = walk.catalog[table].columns[column].type
            return _comparison(walk, value, inner, table, left, lambda operator, operand: Compare(column, operator, operand))
        case OfRelationship(_, relationship):
            return Related(relationship, _of_visible(walk, value, inner, walk.catalog[table].leads_to(relationship)))
        case OfComputedField(_, name):
            walk.budget.spend(CALL, value.path)
            computed = walk.catalog[table].computed_fields[name]
            if computed.type is None:
                return Returned(name, _of_visible(walk, value, inner, computed.function.table))
            return _comparison(walk, value, inner, table, computed.type, lambda operator, operand: CompareComputed(name, operator, operand))
    raise TypeError(f"no boolean expression: {field}")


def _of_visible(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, target: TableName) -> Expression:
    """Hasura: hidden rows can't be probed, so the target's own select filter holds inside."""
    walk.rows(target, value.path)
    filter_, asked = walk.rules.select[target].filter, boolean(walk, value, type_, target)
    return asked if filter_ == TRUE else Rule(filter_, asked)


def _comparison(
    walk: Walk, value: InputValue, type_: GraphQLInputObjectType, table: TableName, left: PgType, compare: Comparing
) -> Expression:
    if value.is_null:
        raise value.null(type_.name)
    terms: list[Expression] = []
    for field, operand in input_fields(walk, value, type_):
        operator = meaning_of(field)
        if not isinstance(operator, Comparison):
            raise TypeError(f"no comparison operator: {field}")
        terms.append(walk.compared(table, _compare(walk, operator, operand, left, compare), operand.path))
    return conjunction(terms)


def _compare(walk: Walk, operator: Comparison, value: InputValue, left: PgType, compare: Comparing) -> Compare | CompareComputed:
    bound = walk.bound
    match operator.operand:
        case "boolean":
            flag = value.pinned() if not value.is_null else None
            if not isinstance(flag, bool):
                raise value.expected("a boolean", "Boolean")
            return compare(operator.name, Constant(flag))
        case "list":
            return compare(operator.name, bound.values(value, left))
        case "text":
            return compare(operator.name, bound.value(value, _TEXT))
        case "texts":
            return compare(operator.name, bound.values(value, _TEXT))
    return compare(operator.name, bound.value(value, left))
