"""The walk over hand-written fields: actions, hand-written subscriptions and introspection. It validates them, Strawberry runs them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_nullable_type,
    is_required_input_field,
)

from permissions.errors import GraphQLRefusal
from permissions.expressions import Bound, Compare, conjunction
from permissions.session import Session
from resolvers.documents.collect import Selected
from resolvers.documents.document import Operation, used_variables
from resolvers.documents.input_value import InputValue
from resolvers.documents.limits import VALUE
from resolvers.ir import KEYS, Arguments, RowsByKey, SelectRoot
from resolvers.walk.input_fields import enum_value, input_fields
from resolvers.walk.parameter_text import array_of_texts
from resolvers.walk.row_selection import row_selection
from resolvers.walk.walk import Walk
from schema.model import TrackedTable
from schema.table_types.meaning import OfTableRow, meaning_of


@dataclass(slots=True)
class HandWrittenRoot:
    """A validated root field, rewritten: fragments and conditions resolved, selections of rows taken out to be read by key."""

    key: str
    path: str
    node: FieldNode
    rows: dict[tuple[str, ...], RowsByKey] = field(default_factory=dict)


def hand_written_root(walk: Walk, selected: Selected, definition: GraphQLField) -> HandWrittenRoot:
    """Validates the field with everything below it, so that nothing invalid is found after an action has acted."""
    root = HandWrittenRoot(selected.key, selected.path, selected.node)
    root.node = _field(walk, root, selected, definition, (selected.key,))
    return root


def document_of(operation: Operation, roots: list[HandWrittenRoot]) -> DocumentNode:
    """A document of these root fields alone, with the variables they use."""
    selections = SelectionSetNode(selections=tuple(root.node for root in roots))
    used = set(used_variables(selections, {}))
    definitions = tuple(definition for name, definition in operation.declared.items() if name in used)
    node = OperationDefinitionNode(
        operation=operation.node.operation, variable_definitions=definitions, selection_set=selections, directives=()
    )
    return DocumentNode(definitions=(node,))


def _field(
    walk: Walk, root: HandWrittenRoot, selected: Selected, definition: GraphQLField, place: tuple[str, ...], *, in_list: bool = False
) -> FieldNode:
    for argument in walk.arguments(selected, definition):
        _check_input(walk, argument.value, argument.definition.type)
    meaning: Any = meaning_of(definition)
    below: SelectionSetNode | None = None
    if isinstance(meaning, OfTableRow):
        root.rows[place] = _rows_by_key(walk, selected, definition, meaning, in_list)
        below = SelectionSetNode(selections=(_name_field("__typename", "__typename"),))
    elif selected.sets:
        type_ = walk.object_type(definition.type)
        in_list = in_list or isinstance(get_nullable_type(definition.type), GraphQLList)
        below = SelectionSetNode(selections=_fields(walk, root, selected, type_, place, in_list))
    return FieldNode(
        alias=NameNode(value=selected.key),
        name=NameNode(value=selected.name),
        arguments=selected.node.arguments or (),
        directives=(),
        selection_set=below,
    )


def _fields(
    walk: Walk, root: HandWrittenRoot, selected: Selected, type_: GraphQLObjectType, place: tuple[str, ...], in_list: bool
) -> tuple[FieldNode, ...]:
    nodes = []
    for inner, definition in walk.collect(type_, selected.sets, selected.path):
        if definition is None:
            nodes.append(_name_field(inner.key, "__typename"))
        else:
            nodes.append(_field(walk, root, inner, definition, (*place, inner.key), in_list=in_list))
    return tuple(nodes)


def _name_field(key: str, name: str) -> FieldNode:
    return FieldNode(alias=NameNode(value=key), name=NameNode(value=name), arguments=(), directives=())


def _check_input(walk: Walk, value: InputValue, type_: Any) -> None:
    """Shape and names; scalars are read by the field's own types."""
    walk.budget.spend(VALUE, value.path)
    if value.is_null:
        if isinstance(type_, GraphQLNonNull):
            raise value.null(type_)
        return
    inner = get_nullable_type(type_)
    if isinstance(inner, GraphQLList):
        for item in value.items(inner.of_type):
            _check_input(walk, item, inner.of_type)
    elif isinstance(inner, GraphQLInputObjectType):
        _check_object(walk, value, inner)
    elif isinstance(inner, GraphQLEnumType):
        enum_value(value, inner)


def _check_object(walk: Walk, value: InputValue, type_: GraphQLInputObjectType) -> None:
    given = value.entries(type_.name)
    for name, definition in type_.fields.items():
        if name not in given and is_required_input_field(definition):
            raise GraphQLRefusal("validation-failed", f"missing required field '{name}'", f"{value.path}.{name}")
    for definition, entry in input_fields(walk, value, type_):
        _check_input(walk, entry, definition.type)


def _rows_by_key(walk: Walk, selected: Selected, definition: GraphQLField, meaning: OfTableRow, in_list: bool) -> RowsByKey:
    tracked = next(table for table in walk.catalog if table.graphql_name == meaning.table)
    walk.rows(tracked.name, selected.path)
    selection = row_selection(walk, walk.object_type(definition.type), selected.sets, selected.path, depth=1)
    columns, several = _key_columns(tracked, meaning), meaning.many or in_list
    if in_list and (meaning.many or len(columns) > 1):
        raise TypeError(f"{selected.name}: in a list of payloads each has one row, by a key of one column")
    bound = tuple(_key(walk, index, several) for index in range(len(columns)))
    operator = "_in" if several else "_eq"
    where = conjunction([Compare(column, operator, value) for column, value in zip(columns, bound, strict=True)])
    root = SelectRoot(selected.key, selected.path, "select_by_pk", tracked.name, Arguments(where=where), selection)
    return RowsByKey(root, meaning.key_attributes, bound, meaning.many, in_list)


def _key_columns(tracked: TrackedTable, meaning: OfTableRow) -> tuple[str, ...]:
    if len(tracked.primary_key) != len(meaning.key_attributes):
        raise TypeError(f"{tracked.graphql_name} has the primary key {tracked.primary_key}, the payload gives {meaning.key_attributes}")
    return tracked.primary_key


def _key(walk: Walk, index: int, several: bool) -> Bound:
    def bind(_: Session, variables: Mapping[str, Any]) -> str | None:
        value: Any = variables[KEYS][index]
        return array_of_texts(value) if several else value

    return walk.bound.add((KEYS, index, several), bind)
