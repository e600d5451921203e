"""An operation compiled for one role: walked, validated, and turned into plans."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import orjson
from graphql import GraphQLField, GraphQLObjectType, SelectionSetNode, print_ast

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
from resolvers.documents.directives import SEVERAL_FIELDS, check_operation
from resolvers.documents.document import Operation, used_variables
from resolvers.documents.limits import HAND_WRITTEN
from resolvers.hand_written.room_feed import OF_ROOM
from resolvers.ir import SelectRoot, TableRootField, Typename
from resolvers.root_keys import key_in, own_keys
from resolvers.sql.live_plan import LivePlan, OwnParameters
from resolvers.sql.parameters import Parameters
from resolvers.sql.plan import Plan
from resolvers.sql.select import Selects
from resolvers.walk.hand_written_fields import HandWrittenRoot, document_of, hand_written_root
from resolvers.walk.introspection_fields import introspection_root
from resolvers.walk.table_fields import table_root
from resolvers.walk.walk import INTROSPECTION, Walk
from schema.table_types.meaning import RootNamespace, TableRoot, meaning_of


@dataclass(frozen=True, slots=True)
class Root:
    """A selected root field of one of the root types, or of a namespace below one; `__typename` has no definition."""

    selected: Selected
    field: GraphQLField | None
    type: GraphQLObjectType

    @property
    def typename(self) -> Typename:
        return Typename(self.selected.key, self.type.name)


def compile_operation(walk: Walk, operation: Operation) -> Compiled:
    """Raises the first violation as GraphQLRefusal, before anything has run."""
    walk.variables.check()
    directives = check_operation(operation.node.directives or (), operation.kind, walk.variables)
    roots = list(_roots(walk, _root_type(walk, operation), (operation.node.selection_set,), "$"))
    for root in roots:
        meaning = None if root.field is None else meaning_of(root.field)
        walk.budget.spend(walk.costs.root(meaning) if isinstance(meaning, TableRoot) else HAND_WRITTEN, root.selected.path)
    if operation.kind == "subscription":
        _check_subscription(walk, roots, several=SEVERAL_FIELDS in directives)
    only_tables = all(root.field is None or isinstance(meaning_of(root.field), TableRoot) for root in roots)
    if operation.kind == "mutation":
        return _steps(walk, operation, roots)
    if any(root.field is not None and _may_write(walk, root.field) for root in roots):
        return _steps(walk, operation, roots, in_transaction=True)
    if only_tables:
        return TableQuery(_table_plan(walk, roots)) if operation.kind == "query" else LiveTables(_live_plan(walk, roots))
    if operation.kind == "subscription":
        if len(roots) > 1:
            raise _one_field()
        return HandWrittenSubscription(_hand_written(walk, operation, [_validated(walk, roots[0])]), of_room=_is_of_room(roots[0].field))
    return _steps(walk, operation, roots)


def _check_subscription(walk: Walk, roots: Sequence[Root], *, several: bool) -> None:
    """Hasura's `GraphQL/Execute.hs`: one field of the document's own. What never changes is followed below a namespace alone."""
    fields = len(own_keys(root.selected.key for root in roots))
    if not fields or (fields > 1 and not several):
        raise _one_field()
    if any(root.field is None and root.type is walk.schema.subscription_type for root in roots):
        raise GraphQLRefusal("not-supported", "Introspection at root field level is not supported over subscriptions")


def _one_field() -> GraphQLRefusal:
    return GraphQLRefusal("validation-failed", "subscriptions must select one top level field")


def _roots(walk: Walk, type_: GraphQLObjectType, sets: Sequence[SelectionSetNode], path: str) -> Iterator[Root]:
    """Hasura: those of a namespace are root fields like any other, in their order; one without any is not in the answer."""
    for selected, field in walk.collect(type_, sets, path):
        if field is None or not isinstance(meaning_of(field), RootNamespace):
            yield Root(selected, field, type_)
            continue
        for root in _roots(walk, walk.object_type(field.type), selected.sets, selected.path):
            yield replace(root, selected=replace(root.selected, key=key_in(selected.key, root.selected.key)))


def _root_type(walk: Walk, operation: Operation) -> GraphQLObjectType:
    schema = walk.schema
    roots = {"query": schema.query_type, "mutation": schema.mutation_type, "subscription": schema.subscription_type}
    type_ = roots[operation.kind]
    if type_ is None:
        raise GraphQLRefusal("validation-failed", f"no {operation.kind}s exist")
    return type_


def _table_plan(walk: Walk, roots: Sequence[Root]) -> Plan:
    read = [_read(walk, root) for root in roots]
    return _selects(walk).response(read)


def _live_plan(walk: Walk, roots: Sequence[Root]) -> LivePlan:
    read = [_read(walk, root) for root in roots]
    tables = [root for root in read if isinstance(root, SelectRoot)]
    streams = [root.stream for root in tables if root.stream is not None]
    if streams and len(streams) < len(tables):
        raise GraphQLRefusal("not-supported", "streaming and livequery subscriptions cannot be executed in the same subscription")
    if len(streams) > 1:
        raise GraphQLRefusal("not-supported", "exactly one root field is allowed for streaming subscriptions")
    parameters = OwnParameters(walk.bound.binders, progress=sum(len(stream.places) for stream in streams))
    return _selects(walk, parameters).live_plan(read)


def _selects(walk: Walk, parameters: Parameters | None = None) -> Selects:
    largest = walk.budget.limits.answer_bytes_of(walk.rules.role)
    return Selects(walk.catalog, walk.rules, parameters or Parameters(walk.bound.binders), largest)


def _table(walk: Walk, selected: Selected, field: GraphQLField) -> TableRootField:
    meaning = meaning_of(field)
    if not isinstance(meaning, TableRoot):
        raise TypeError(f"no root field over a table: {selected.name}")
    return table_root(walk, selected, field, meaning)


def _read(walk: Walk, root: Root) -> SelectRoot | Typename:
    if root.field is None:
        return root.typename
    read = _table(walk, root.selected, root.field)
    if not isinstance(read, SelectRoot):
        raise TypeError(f"a query can't write: {read.path}")
    return read


def _may_write(walk: Walk, field: GraphQLField) -> bool:
    """Whether a root field calls a volatile function: such a statement isn't asked again when a connection is lost."""
    meaning = meaning_of(field)
    function = meaning.function if isinstance(meaning, TableRoot) else None
    return function is not None and walk.catalog.functions[function].function.is_volatile


def _steps(walk: Walk, operation: Operation, roots: Sequence[Root], *, in_transaction: bool = False) -> Steps:
    """Queries give all hand-written fields to Strawberry at once, mutations one by one, in their order.

    Reads are of the same transaction as what may write, where one is needed.
    """
    steps: list[Step] = []
    together: list[HandWrittenRoot] = []
    introspected: list[HandWrittenRoot] = []
    for root in roots:
        selected, field = root.selected, root.field
        if field is None:
            steps.append(KnownAnswer(selected.key, orjson.dumps(root.type.name)))
        elif isinstance(meaning_of(field), TableRoot):
            steps.append(_table_step(walk, selected, field, in_transaction=in_transaction or operation.kind == "mutation"))
        elif operation.kind == "mutation":
            steps.append(_hand_written(walk, operation, [_validated(walk, root)]))
        elif selected.name in INTROSPECTION:
            introspected.append(introspection_root(walk, selected, field))
        else:
            together.append(_validated(walk, root))
    if together:
        steps.append(_hand_written(walk, operation, together))
    if introspected:
        steps.append(_introspection(operation, introspected))
    return Steps(tuple(steps), tuple(root.selected.key for root in roots))


def _validated(walk: Walk, root: Root) -> HandWrittenRoot:
    if root.field is None:
        raise _one_field()
    return hand_written_root(walk, root.selected, root.field)


def _table_step(walk: Walk, selected: Selected, field: GraphQLField, *, in_transaction: bool) -> Step:
    root = _table(walk, selected, field)
    if not isinstance(root, SelectRoot):
        return table_write(root, walk.bound, lambda: _selects(walk))
    selects = _selects(walk)
    plan = selects.plan(selects.alone(root))
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
