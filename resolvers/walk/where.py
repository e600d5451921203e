"""`where` arguments as boolean expressions."""

from collections.abc import Callable
from functools import partial
from typing import Any

from graphql import GraphQLInputField, GraphQLInputObjectType, get_named_type

from permissions.errors import GraphQLRefusal
from permissions.expressions import (
    And,
    Compare,
    CompareComputed,
    Expression,
    Not,
    Operand,
    Or,
    Related,
    Returned,
    conjunction,
)
from resolvers.documents.input_value import InputValue
from resolvers.documents.limits import VALUE
from resolvers.walk.comparisons import AggregatePredicates, comparisons
from resolvers.walk.input_fields import input_fields
from resolvers.walk.rule_costs import CALL
from resolvers.walk.walk import Walk
from schema.model import PgType, TableName
from schema.table_types.meaning import Logic, OfColumn, OfComputedField, OfRelationship, OfRelationshipAggregate, meaning_of

# Makes the comparison by an operator's name, what stands on its right, and what the left side is cast to.
Comparing = Callable[[str, Operand, PgType | None], Compare | CompareComputed]


def boolean(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, table: TableName) -> Expression:
    """The expression over rows of `table`. Keys of one object hold together; null is refused, as Hasura does since v2."""
    if value.is_null:
        raise value.null(type_)
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
            return _comparison(walk, value, inner, table, left, partial(Compare, column))
        case OfRelationship(_, relationship):
            return Related(relationship, _of_visible(walk, value, inner, walk.catalog[table].leads_to(relationship)))
        case OfRelationshipAggregate(_, relationship):
            target = walk.catalog[table].relationships[relationship].target
            return AggregatePredicates(walk, relationship, target, boolean).read(value, inner)
        case OfComputedField(_, name):
            walk.budget.spend(CALL, value.path)
            computed = walk.catalog[table].computed_fields[name]
            if computed.type is None:
                return Returned(name, _of_visible(walk, value, inner, computed.function.table))
            return _comparison(walk, value, inner, table, computed.type, partial(CompareComputed, name))
    raise TypeError(f"no boolean expression: {field}")


def _of_visible(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, target: TableName) -> Expression:
    walk.rows(target, value.path)
    return walk.visible(target, boolean(walk, value, type_, target))


def _comparison(
    walk: Walk, value: InputValue, type_: GraphQLInputObjectType, table: TableName, left: PgType, compare: Comparing
) -> Expression:
    read = comparisons(walk, value, type_, left)
    return conjunction([walk.compared(table, compare(operator, operand, cast), path) for operator, operand, path, cast in read])
