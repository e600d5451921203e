"""The arguments of a list of rows: `where`, `order_by`, `distinct_on`, `limit` and `offset`."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import GraphQLInputObjectType, IntValueNode, StringValueNode, get_named_type

from permissions.errors import GraphQLRefusal
from permissions.expressions import TRUE, Bound, Expression
from permissions.session import Session
from resolvers.documents.bounded_numbers import number_text, whole
from resolvers.documents.input_value import InputValue, unlike
from resolvers.documents.limits import VALUE
from resolvers.documents.variable_shape import LITERAL_LIMIT, pattern
from resolvers.ir import Arguments, OrderBy
from resolvers.walk.bound_values import descend
from resolvers.walk.input_fields import column_names, enum_value, input_fields
from resolvers.walk.rule_costs import CALL
from resolvers.walk.walk import ArgumentValue, Walk
from resolvers.walk.where import boolean
from schema.model import TableName
from schema.table_types.meaning import (
    AggregateFunction,
    Argument,
    OfColumn,
    OfComputedField,
    OfRelationship,
    OfRelationshipAggregate,
    Part,
    meaning_of,
)

# Hasura's `bigInt`, also where it is the number that is wrong.
_OFFSET = "a 32-bit integer, or a 64-bit integer represented as a string"


def rows_arguments(walk: Walk, given: Iterable[ArgumentValue], table: TableName, path: str) -> Arguments:
    """Reads the arguments of a field over rows of `table`; `path` is the field's."""
    where: Expression = TRUE
    order: tuple[OrderBy, ...] = ()
    distinct: tuple[str, ...] = ()
    limit: int | Bound | None = None
    offset: Bound | None = None
    for argument in given:
        inner: Any = get_named_type(argument.definition.type)
        match argument.meaning:
            case Argument("where"):
                where = boolean(walk, argument.value, inner, table)
            case Argument("order_by"):
                order = tuple(_orders(walk, argument.value, inner))
            case Argument("distinct_on"):
                distinct = column_names(walk, argument.value, inner)
            case Argument("limit"):
                limit = page_size(walk, argument.value)
            case Argument("offset"):
                offset = _offset(walk, argument.value)
    _check_distinct(distinct, order, path)
    return Arguments(where, order, distinct, limit, offset)


def _check_distinct(distinct: tuple[str, ...], order: tuple[OrderBy, ...], path: str) -> None:
    leading = [by.column for by in order[: len(set(distinct))] if not by.relationships and by.aggregate is None and by.computed is None]
    if distinct and order and set(leading) != set(distinct):
        raise GraphQLRefusal("validation-failed", '"distinct_on" columns must match initial "order_by" columns', f"{path}.args")


def _orders(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, relationships: tuple[str, ...] = ()) -> Iterator[OrderBy]:
    for item in value.items(type_):
        if item.is_null:
            raise item.null(type_)
        walk.budget.spend(VALUE, item.path)
        for field, entry in input_fields(walk, item, type_):
            # Hasura: an order of null is no order.
            if entry.is_null:
                continue
            inner: Any = get_named_type(field.type)
            match meaning_of(field):
                case OfColumn(table, column):
                    walk.cell(table, column, entry.path)
                    yield OrderBy(enum_value(entry, inner), column, relationships)
                case OfComputedField(table, name):
                    walk.computed_cell(table, name, entry.path)
                    walk.budget.spend(CALL, entry.path)
                    yield OrderBy(enum_value(entry, inner), relationships=relationships, computed=name)
                case OfRelationship(table, relationship):
                    walk.rows(walk.catalog[table].relationships[relationship].target, entry.path)
                    yield from _one(walk, entry, inner, (*relationships, relationship))
                case OfRelationshipAggregate(table, relationship):
                    walk.rows(walk.catalog[table].leads_to(relationship), entry.path)
                    yield from _aggregate_orders(walk, entry, inner, relationships, relationship)


def _one(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, relationships: tuple[str, ...]) -> Iterator[OrderBy]:
    """An order object that can't be a list."""
    value.entries(type_.name)
    with walk.budget.deeper(value.path):
        yield from _orders(walk, value, type_, relationships)


def _aggregate_orders(
    walk: Walk, value: InputValue, type_: GraphQLInputObjectType, relationships: tuple[str, ...], aggregate: str
) -> Iterator[OrderBy]:
    for field, entry in input_fields(walk, value, type_):
        inner: Any = get_named_type(field.type)
        match meaning_of(field):
            case Part("count") if not entry.is_null:
                yield OrderBy(enum_value(entry, inner), None, relationships, aggregate, "count")
            case AggregateFunction(function):
                for column, order in input_fields(walk, entry, inner):
                    meaning = meaning_of(column)
                    if isinstance(meaning, OfColumn) and not order.is_null:
                        walk.cell(meaning.table, meaning.column, order.path)
                        direction: Any = get_named_type(column.type)
                        yield OrderBy(enum_value(order, direction), meaning.column, relationships, aggregate, function)


def page_size(walk: Walk, value: InputValue) -> int | Bound:
    """A small limit, or one written in the document, is part of the SQL text; a large one in a variable is a parameter."""
    limit = _natural(value.raw, value.path, 32)
    if value.variable is None:
        return limit
    walk.variables.pins.limits.add(pattern(value.variable))
    return limit if isinstance(value.raw, int) and limit <= LITERAL_LIMIT else _bound_natural(walk, value, 32)


def _offset(walk: Walk, value: InputValue) -> Bound:
    offset = _natural(value.raw, value.path, 64)
    return walk.bound.constant(str(offset)) if value.variable is None else _bound_natural(walk, value, 64)


def _bound_natural(walk: Walk, value: InputValue, bits: int) -> Bound:
    """The plan keeps nothing of the value, which leads to all that its request brought."""
    variable, path = value.variable or (), value.path

    def bind(_: Session, variables: Mapping[str, Any]) -> str | None:
        return str(_natural(descend(variables, variable), path, bits))

    return walk.bound.add((variable, "natural", bits), bind)


def _natural(raw: Any, path: str, bits: int) -> int:
    """A number of rows. Hasura: JSON's numbers may be written as floats, and as they can't carry 64 bits an offset may come as text."""
    text = raw.value if isinstance(raw, IntValueNode) else number_text(raw)
    written = raw.value if isinstance(raw, StringValueNode) else raw
    if bits == 64 and isinstance(written, str) and written.isascii() and written.isdigit():
        text = written
    number = None if text is None else whole(text, bits, path)
    if number is None or number < 0:
        raise unlike(raw, _OFFSET if bits == 64 else "a non-negative 32-bit integer", "Int", path)
    return number
