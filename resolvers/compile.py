"""An operation compiled for one role: walked, validated, and turned into plans."""

import orjson
from graphql import GraphQLField, GraphQLObjectType, print_ast

from permissions.errors import GraphQLRefusal
from resolvers.compile_writes import table_write
from resolvers.compiled import (
    Compiled,
    HandWritten,
    HandWrittenSubscription,
    Introspection,
    KnownAnswer,
    LiveTables,
    Step,
    Steps,
    TableQuery,
    TableRead,
    TableWrite,
    WriteStatement,
)
from resolvers.documents.collect import Selected
from resolvers.documents.directives import check_operation
from resolvers.documents.document import Operation, used_variables
from resolvers.documents.limits import HAND_WRITTEN
from resolvers.hand_written.room_feed import OF_ROOM
from resolvers.ir import SelectRoot, TableRootField
from resolvers.sql.live_plan import LivePlan, OwnParameters
from resolvers.sql.parameters import Parameters
from resolvers.sql.plan import Plan
from resolvers.sql.select import Selects
from resolvers.walk.hand_written_fields import HandWrittenRoot, document_of, hand_written_root
from resolvers.walk.introspection_fields import introspection_root
from resolvers.walk.table_fields import table_root
from resolvers.walk.walk import INTROSPECTION, Walk
from schema.table_types.meaning import TableRoot, meaning_of

Roots = list[tuple[Selected, GraphQLField | None]]


def compile_operation(walk: Walk, operation: Operation) -> Compiled:
    """Raises the first violation as GraphQLRefusal, before anything has run."""
    walk.variables.check()
    check_operation(operation.node.directives or (), operation.kind, walk.variables)
    type_ = _root_type(walk, operation)
    roots = walk.collect(type_, (operation.node.selection_set,), "$")
    for selected, field in roots:
        meaning = None if field is None else meaning_of(field)
        walk.budget.spend(walk.costs.root(meaning) if isinstance(meaning, TableRoot) else HAND_WRITTEN, selected.path)
    if operation.kind == "subscription" and len(roots) != 1:
        raise GraphQLRefusal("validation-failed", "subscriptions must select one top level field")
    only_tables = all(field is None or isinstance(meaning_of(field), TableRoot) for _, field in roots)
    if operation.kind == "mutation":
        return _steps(walk, operation, type_, roots)
    if any(field is not None and _may_write(walk, field) for _, field in roots):
        return _steps(walk, operation, type_, roots, in_transaction=True)
    if only_tables:
        return TableQuery(_table_plan(walk, type_, roots)) if operation.kind == "query" else LiveTables(_live_plan(walk, type_, *roots[0]))
    if operation.kind == "subscription":
        return HandWrittenSubscription(_hand_written(walk, operation, [_validated(walk, *roots[0])]), of_room=_is_of_room(roots[0][1]))
    return _steps(walk, operation, type_, roots)


def _root_type(walk: Walk, operation: Operation) -> GraphQLObjectType:
    schema = walk.schema
    roots = {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}
    type_ = roots[operation.kind]
    if type_ is None:
        raise GraphQLRefusal("validation-failed", f"no {operation.kind}s exist")
    return type_


def _table_plan(walk: Walk, type_: GraphQLObjectType, roots: Roots) -> Plan:
    read = [(selected.key, None if field is None else _read(walk, selected, field)) for selected, field in roots]
    return _selects(walk).response(type_.name, read)


def _live_plan(walk: Walk, type_: GraphQLObjectType, selected: Selected, field: GraphQLField | None) -> LivePlan:
    root = None if field is None else _read(walk, selected, field)
    stream = None if root is None else root.stream
    parameters = OwnParameters(walk.bound.binders, progress=0 if stream is None else len(stream.places))
    return _selects(walk, parameters).live_plan(type_.name, selected.key, root)


def _selects(walk: Walk, parameters: Parameters | None = None) -> Selects:
    largest = walk.budget.limits.answer_bytes_of(walk.rules.role)
    return Selects(walk.catalog, walk.rules, parameters or Parameters(walk.bound.binders), largest)


def _table(walk: Walk, selected: Selected, field: GraphQLField) -> TableRootField:
    meaning = meaning_of(field)
    if not isinstance(meaning, TableRoot):
        raise TypeError(f"no root field over a table: {selected.name}")
    return table_root(walk, selected, field, meaning)


def _read(walk: Walk, selected: Selected, field: GraphQLField) -> SelectRoot:
    root = _table(walk, selected, field)
    if not isinstance(root, SelectRoot):
        raise TypeError(f"a query can't write: {root.path}")
    return root


def _may_write(walk: Walk, field: GraphQLField) -> bool:
    """Whether a root field calls a volatile function: such a statement isn't asked again when a connection is lost."""
    meaning = meaning_of(field)
    function = meaning.function if isinstance(meaning, TableRoot) else None
    return function is not None and walk.catalog.functions[function].function.is_volatile


def _steps(walk: Walk, operation: Operation, type_: GraphQLObjectType, roots: Roots, *, in_transaction: bool = False) -> Steps:
    """Queries give all hand-written fields to Strawberry at once, mutations one by one, in their order.

    Reads are of the same transaction as what may write, where one is needed.
    """
    steps: list[Step] = []
    together: list[HandWrittenRoot] = []
    introspected: list[HandWrittenRoot] = []
    for selected, field in roots:
        if field is None:
            steps.append(KnownAnswer(selected.key, orjson.dumps(type_.name)))
        elif isinstance(meaning_of(field), TableRoot):
            steps.append(_table_step(walk, selected, field, in_transaction=in_transaction or operation.kind == "mutation"))
        elif operation.kind == "mutation":
            steps.append(_hand_written(walk, operation, [_validated(walk, selected, field)]))
        elif selected.name in INTROSPECTION:
            introspected.append(introspection_root(walk, selected, field))
        else:
            together.append(_validated(walk, selected, field))
    if together:
        steps.append(_hand_written(walk, operation, together))
    if introspected:
        steps.append(_introspection(operation, introspected))
    return Steps(tuple(steps), tuple(selected.key for selected, _ in roots))


def _validated(walk: Walk, selected: Selected, field: GraphQLField | None) -> HandWrittenRoot:
    if field is None:
        raise GraphQLRefusal("validation-failed", "subscriptions must select one top level field")
    return hand_written_root(walk, selected, field)


def _table_step(walk: Walk, selected: Selected, field: GraphQLField, *, in_transaction: bool) -> Step:
    root = _table(walk, selected, field)
    if not isinstance(root, SelectRoot):
        return table_write(root, walk.bound, lambda: _selects(walk))
    selects = _selects(walk)
    plan = selects.plan(selects.root(root))
    if in_transaction:
        return TableWrite(root.key, (WriteStatement(plan, root.table, "$"),))
    return TableRead(root.key, root.path, plan)


def _hand_written(walk: Walk, operation: Operation, roots: list[HandWrittenRoot]) -> HandWritten:
    plans = {place: _selects(walk).rows_by_key(rows) for root in roots for place, rows in root.rows.items()}
    return HandWritten({root.key: root.path for root in roots}, document_of(operation, roots), plans)


def _introspection(operation: Operation, roots: list[HandWrittenRoot]) -> Introspection:
    nodes = tuple(root.node for root in roots)
    document = document_of(operation, roots)
    used = set(used_variables(document, {}))
    variables = tuple(definition for name, definition in operation.declared.items() if name in used)
    return Introspection(nodes, variables, None if used else print_ast(document))


def _is_of_room(field: GraphQLField | None) -> bool:
    return field is not None and OF_ROOM in field.extensions["strawberry-definition"].metadata
