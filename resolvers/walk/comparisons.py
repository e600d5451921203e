"""Comparisons: of a value (`Int_comparison_exp`, …), and of an aggregate of related rows (`t_aggregate_bool_exp`)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from graphql import GraphQLInputField, GraphQLInputObjectType, get_named_type, is_non_null_type

from permissions.errors import GraphQLRefusal
from permissions.expressions import TRUE, AggregatePredicate, Constant, Expression, Operand
from resolvers.documents.input_value import InputValue
from resolvers.walk.input_fields import column_names, input_fields
from resolvers.walk.rule_costs import CALL
from resolvers.walk.walk import Walk
from schema.model import PgType, TableName
from schema.operators import OPERATORS, Operator
from schema.table_types.meaning import AggregateFunction, Argument, Cast, Comparison, meaning_of
from schema.type_names import PREDICATE_FUNCTIONS

# Reads a `t_bool_exp` over rows of a table: it may itself hold aggregates.
Boolean = Callable[[Walk, InputValue, GraphQLInputObjectType, TableName], Expression]


class Compared(NamedTuple):
    """An operator by name, its operand and where it is written, and what the left side is cast to before."""

    operator: str
    operand: Operand
    path: str
    cast: PgType | None = None


def comparisons(walk: Walk, value: InputValue, type_: GraphQLInputObjectType, left: PgType) -> Iterator[Compared]:
    """What is asked of a value; `left` is its type."""
    if value.is_null:
        raise value.null(type_)
    for field, operand in input_fields(walk, value, type_):
        match meaning_of(field):
            case Comparison(name):
                yield Compared(name, _operand(walk, OPERATORS[name], operand, left), operand.path)
            case Cast(target):
                inner: Any = get_named_type(field.type)
                read = comparisons(walk, operand, inner, target or left)
                yield from read if target is None else (compared._replace(cast=target) for compared in read)
            case _:
                raise TypeError(f"no comparison operator: {field}")


def _operand(walk: Walk, operator: Operator, value: InputValue, left: PgType) -> Operand:
    given = operator.given_type(left)
    match operator.operand:
        case "flag":
            flag = value.pinned() if not value.is_null else None
            if not isinstance(flag, bool):
                raise value.expected("a boolean", "Boolean")
            return Constant(flag)
        case "list":
            return walk.bound.values(value, given)
    return walk.bound.value(value, given)


@dataclass(frozen=True, slots=True)
class AggregatePredicates:
    """`<relationship>_aggregate`: `count`, `bool_and` or `bool_or` over those of the related rows that the role sees."""

    walk: Walk
    relationship: str
    target: TableName
    boolean: Boolean

    def read(self, value: InputValue, type_: GraphQLInputObjectType) -> Expression:
        """Hasura: exactly one of them."""
        if value.is_null:
            raise value.null(type_)
        predicates: list[Expression] = []
        with self.walk.budget.deeper(value.path):
            for field, entry in input_fields(self.walk, value, type_):
                function = meaning_of(field)
                if not isinstance(function, AggregateFunction):
                    raise TypeError(f"no aggregate: {entry.path}")
                predicates.append(self._predicate(entry, get_named_type(field.type), function.name))
        if len(predicates) != 1:
            raise GraphQLRefusal("validation-failed", "exactly one predicate should be specified", value.path)
        return predicates[0]

    def _predicate(self, value: InputValue, type_: Any, function: str) -> Expression:
        if value.is_null:
            raise value.null(type_)
        # A subselect of its own over the rows, and the function on top.
        self.walk.rows(self.target, value.path)
        self.walk.budget.spend(CALL, value.path)
        columns: tuple[str, ...] = ()
        terms: tuple[tuple[str, Operand], ...] = ()
        distinct = False
        asked: Expression = TRUE
        for field, entry in self._given(value, type_):
            inner: Any = get_named_type(field.type)
            match meaning_of(field):
                case Argument("arguments"):
                    columns = column_names(self.walk, entry, inner)
                case Argument("distinct"):
                    distinct = _flag(entry)
                case Argument("filter"):
                    asked = self.boolean(self.walk, entry, inner, self.target)
                case Argument("predicate"):
                    read = comparisons(self.walk, entry, inner, PREDICATE_FUNCTIONS[function])
                    terms = tuple((compared.operator, compared.operand) for compared in read)
        redactions = self.walk.rules.select[self.target].redactions
        cells = tuple((column, redactions.get(column)) for column in columns)
        return AggregatePredicate(self.relationship, function, cells, distinct, self.walk.visible(self.target, asked), terms)

    def _given(self, value: InputValue, type_: GraphQLInputObjectType) -> Iterator[tuple[GraphQLInputField, InputValue]]:
        """The keys that are there. What may be left out is never null (`fieldOptional` in Hasura's `AggregationPredicates.hs`)."""
        fields = {id(field): (field, entry) for field, entry in input_fields(self.walk, value, type_)}
        for name, field in type_.fields.items():
            if is_non_null_type(field.type) and id(field) not in fields:
                raise GraphQLRefusal("validation-failed", f"missing required field '{name}'", f"{value.path}.{name}")
        return iter(fields.values())


def _flag(value: InputValue) -> bool:
    flag = value.pinned()
    if not isinstance(flag, bool):
        raise value.expected("a boolean", "Boolean")
    return flag
