"""What every part of the walk over a document shares: the role's schema and rules, the variables, and the parameters so far."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLType,
    SchemaMetaFieldDef,
    SelectionSetNode,
    TypeMetaFieldDef,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)

from permissions.errors import GraphQLRefusal
from permissions.expressions import TRUE, Compare, CompareComputed, Expression, Redacted, Rule
from permissions.rules import RoleRules
from resolvers.documents.collect import Collector, Selected
from resolvers.documents.input_value import InputValue
from resolvers.documents.limits import Budget
from resolvers.documents.variables import Variables
from resolvers.walk.bound_values import BoundValues
from resolvers.walk.rule_costs import RuleCosts
from schema.model import Catalog, TableName
from schema.table_types.meaning import Argument, Meaning, UpdateOperator, meaning_of

INTROSPECTION = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}

# May be left out, but are never null. Hasura's `fieldOptional` (`Parser/Internal/Input.hs`, "The value of omitted fields") hands a null on
# to a parser that has none, so that a forgotten variable does not ask for more than was meant.
_NEVER_NULL = frozenset({"args", "columns", "distinct", "on_conflict", "path"})
_WORDS = {"Boolean": "a boolean", "String": "a string"}


@dataclass(frozen=True, slots=True)
class ArgumentValue:
    """An argument that was given, not null, with what it means."""

    name: str
    meaning: Meaning | None
    definition: GraphQLArgument
    value: InputValue


@dataclass(slots=True)
class Walk:
    """One pass over an operation, which is its validation: the first violation is raised with Hasura's code, path and text."""

    schema: GraphQLSchema
    catalog: Catalog
    rules: RoleRules
    variables: Variables
    costs: RuleCosts
    budget: Budget
    collector: Collector = field(init=False)
    bound: BoundValues = field(init=False)

    def __post_init__(self) -> None:
        self.collector = Collector(self.variables.operation, self.variables, self.budget)
        self.bound = BoundValues(self.budget)

    def collect(self, type_: GraphQLObjectType, sets: Iterable[SelectionSetNode], path: str) -> list[tuple[Selected, GraphQLField | None]]:
        """The selected fields with their definitions; None is `__typename`. Raises for fields the role's type has not."""
        found: list[tuple[Selected, GraphQLField | None]] = []
        for selected in self.collector.collect(type_.name, sets, path):
            definition = self._definition(type_, selected.name)
            if definition is None and selected.name != "__typename":
                raise unknown_field(selected.name, type_.name, selected.path)
            self._check_selection(selected, definition)
            found.append((selected, definition))
        return found

    def _definition(self, type_: GraphQLObjectType, name: str) -> GraphQLField | None:
        if type_ is self.schema.query_type and name in INTROSPECTION:
            return INTROSPECTION[name]
        return None if name == "__typename" else type_.fields.get(name)

    def _check_selection(self, selected: Selected, definition: GraphQLField | None) -> None:
        known = {} if definition is None else definition.args
        for argument in selected.node.arguments or ():
            if argument.name.value not in known:
                raise GraphQLRefusal("validation-failed", f"'{selected.name}' has no argument named '{argument.name.value}'", selected.path)
        is_leaf = definition is None or is_leaf_type(get_named_type(definition.type))
        if is_leaf and selected.sets:
            raise GraphQLRefusal("validation-failed", "unexpected subselection set for non-object field", selected.path)
        if not is_leaf and not selected.sets:
            raise GraphQLRefusal("validation-failed", f"missing selection set for '{selected.name}'", selected.path)

    def arguments(self, selected: Selected, definition: GraphQLField) -> list[ArgumentValue]:
        """The given arguments; null counts as absent where it is allowed. Raises for missing ones."""
        nodes = {argument.name.value: argument.value for argument in selected.node.arguments or ()}
        return [value for name, argument in definition.args.items() if (value := self._argument(selected, name, argument, nodes.get(name)))]

    def _argument(self, selected: Selected, name: str, argument: GraphQLArgument, node: Any) -> ArgumentValue | None:
        value, meaning = None, meaning_of(argument)
        if node is not None:
            value = InputValue(node, f"{selected.path}.args.{name}", self.variables).resolved(variable_type(argument))
            if value is None and _is_never_null(meaning):
                value = InputValue(None, f"{selected.path}.args.{name}", self.variables)
        if value is None:
            if is_required_argument(argument):
                raise GraphQLRefusal("validation-failed", f"missing required field '{name}'", f"{selected.path}.args.{name}")
            return None
        if not value.is_null:
            return ArgumentValue(name, meaning, argument, value)
        if _is_never_null(meaning):
            words = _WORDS.get(str(argument.type))
            raise value.null(argument.type) if words is None else value.expected(words, str(argument.type))
        if is_non_null_type(argument.type):
            raise value.null(argument.type)
        return None

    def named(self, type_: Any) -> Any:
        return get_named_type(type_)

    def object_type(self, type_: Any) -> GraphQLObjectType:
        return cast(GraphQLObjectType, get_named_type(type_))

    def rows(self, table: TableName, path: str) -> None:
        """Rows of one more table, behind the role's rule for it; raises when that is too much."""
        self.budget.spend(self.costs.read(table), path)

    def visible(self, table: TableName, asked: Expression) -> Expression:
        """What is asked of rows of another table. Hasura: hidden rows can't be probed, so the role's own filter for it holds as well."""
        filter_ = self.rules.select[table].filter
        return asked if filter_ == TRUE else Rule(filter_, asked)

    def cell(self, table: TableName, column: str, path: str) -> Expression | None:
        """The rule that decides whether a cell of the column is shown; None where all are. Raises when that is too much."""
        rule = self.rules.select.get(table)
        shown = None if rule is None else rule.redactions.get(column)
        if shown is not None:
            self.budget.spend(self.costs.redaction(table, column), path)
        return shown

    def computed_cell(self, table: TableName, field: str, path: str) -> Expression | None:
        """The same of a computed field."""
        rule = self.rules.select.get(table)
        shown = None if rule is None else rule.computed_redactions.get(field)
        if shown is not None:
            self.budget.spend(self.costs.shown(table, shown), path)
        return shown

    def compared(self, table: TableName, compare: Compare | CompareComputed, path: str) -> Expression:
        """A comparison that the caller asks for: with what is shown of the column, or computed field."""
        shown = self.cell(table, compare.column, path) if isinstance(compare, Compare) else self.computed_cell(table, compare.field, path)
        return compare if shown is None else Redacted(shown, compare)

    def again(self, times: int, table: TableName, asked: int, path: str) -> None:
        """The same rows so many times more, behind the same conditions, which have cost `asked`: the parts of an aggregate."""
        self.budget.spend(max(0, times) * (self.costs.read(table) + asked), path)

    def deeper(self, depth: int, table: TableName, path: str) -> int:
        """One relationship deeper, into `table`; raises when that is too deep."""
        if depth >= self.budget.limits.depth:
            raise GraphQLRefusal("validation-failed", f"the query is nested deeper than {self.budget.limits.depth} levels", path)
        self.rows(table, path)
        return depth + 1


def _is_never_null(meaning: Meaning | None) -> bool:
    return isinstance(meaning, UpdateOperator) or (isinstance(meaning, Argument) and meaning.kind in _NEVER_NULL)


def variable_type(place: GraphQLArgument | GraphQLInputField) -> GraphQLType:
    """What a variable has to be declared as: where there is a default it may be nullable (the specification's "IsVariableUsageAllowed")."""
    is_required = is_required_argument(place) if isinstance(place, GraphQLArgument) else is_required_input_field(place)
    return place.type if is_required else get_nullable_type(place.type)


def unknown_field(name: str, type_name: str, path: str) -> GraphQLRefusal:
    return GraphQLRefusal("validation-failed", f"field '{name}' not found in type: '{type_name}'", path)
