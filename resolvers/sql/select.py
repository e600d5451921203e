"""Selections over tables as SQL: each list, row and aggregate is one scalar subquery that gives JSON."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.sql.selectable import NamedFromClause

from permissions.compiling.bool_exp import condition
from permissions.compiling.leakproof import joins_leakproof, parted
from permissions.compiling.named_table import NamedTable
from permissions.compiling.parts import parts
from permissions.expressions import TRUE, Bound, Expression, Rule
from permissions.rules import RoleRules, SelectRule
from resolvers.ir import (
    AggregateNodes,
    AggregatePart,
    Arguments,
    ColumnField,
    ComputedFieldValue,
    ComputedRows,
    OrderBy,
    RelatedAggregate,
    RelatedRow,
    RelatedRows,
    RowField,
    RowsByKey,
    Selection,
    SelectRoot,
    Stream,
    Typename,
)
from resolvers.sql.aggregate import aggregate_values, applied, computed_in
from resolvers.sql.first_rows import among_first
from resolvers.sql.implied_conditions import without_implied
from resolvers.sql.json_values import Items, Json, columns_of, json_object, json_row, response_object, text_value
from resolvers.sql.live_plan import LivePlan, OwnParameters
from resolvers.sql.parameters import Parameters
from resolvers.sql.plan import Plan, RowPlan
from resolvers.sql.row_source import Called, Join, RowSource, aggregate_tells, called, fenced, sorting_tells, values_tell
from resolvers.sql.rule_branches import branches_of
from resolvers.sql.size.answer_size import (
    FEW,
    are_few,
    checked_statement,
    growing_batch,
    growing_object,
    lists_in,
    most_rows,
    of_each,
)
from resolvers.sql.size.list_text import checked_rows, growing_rows, short_or_growing_rows
from resolvers.sql.size.row_size import are_many, bounded_json_row, bounded_row, may_be_long, related_in
from resolvers.sql.told_values import told
from resolvers.sql.values_before_rows import all_read, values_to_read
from schema.model import Catalog, PgType, Relationship, TableName, TrackedTable
from schema.sql_types import Native

_BIGINT = Native(PgType("int8"))
_TEXTS = Native(PgType("text", is_array=True))
# Where rows come from beside a table of their own: a parent row, or a function.
Place = Join | Called | None


@dataclass(slots=True)
class Selects:
    """Compiles the selections of one statement; `tables` are those it reads, `largest` the bytes of its answer."""

    catalog: Catalog
    rules: RoleRules
    parameters: Parameters
    largest: int
    tables: set[TableName] = field(default_factory=set)
    _reads: dict[object, Json] = field(default_factory=dict)
    _aliases: int = 0

    def root(self, root: SelectRoot, beside: int = 1) -> Json:
        """The value of a select root field, one of so many."""
        largest = of_each(self.largest, beside)
        place = None if root.function is None else Called(root.function, root.given)
        if root.kind == "select_aggregate":
            return self._aggregate(root.table, root.arguments, root.parts, place, largest)
        if root.kind == "select_by_pk":
            return self._row(self._rows(root.table, root.arguments, root.selection, place), beside, beside)
        return self._list(root.table, root.arguments, root.selection, place, largest)

    def plan(self, value: Json) -> Plan:
        """A statement whose single value this is; it reads the request's values first."""
        return self.parameters.plan(checked_statement(value, all_read(list(self._reads.values())), self.largest), self.tables)

    def response(self, roots: Sequence[SelectRoot | Typename]) -> Plan:
        """The whole response to a query of table fields."""
        values = [(root.key, text_value(root.name) if isinstance(root, Typename) else self.root(root, len(roots))) for root in roots]
        return self.plan(response_object(values))

    def live_plan(self, root: SelectRoot | Typename) -> LivePlan:
        """A subscription's payloads, of many sessions in one statement: `parameters` are an `OwnParameters`."""
        if not isinstance(self.parameters, OwnParameters):
            raise TypeError("a live plan needs parameters of its own")
        stream = None if isinstance(root, Typename) else root.stream
        value, progress, from_ = (text_value(root.name), [], []) if isinstance(root, Typename) else self._live(root)
        answer = response_object([(root.key, value)]).label("answer")
        statement = sa.select(answer, *progress).select_from(*from_).where(*all_read(list(self._reads.values())))
        return self.parameters.live_plan(statement, self.largest, self.tables, stream)

    def _live(self, root: SelectRoot) -> tuple[Json, list[Any], list[sa.FromClause]]:
        if root.stream is None:
            return self.root(root), [], []
        batch = growing_batch(self._batch(root, root.stream), self.largest, self.name("batch"))
        # Once for all sessions; rows and history are of the same moment.
        history: list[Any] = [] if self.catalog.epoch is None else [sa.literal_column(f"(SELECT {self.catalog.epoch})").label("epoch")]
        return batch.c.list, [batch.c.progress, *history], [batch]

    def _batch(self, root: SelectRoot, stream: Stream) -> sa.Subquery:
        """The next rows of a stream as JSON, each with how far it leads; nothing of that is the client's to see."""
        tracked, arguments = self.catalog[root.table], root.arguments
        source, where = self._source(root.table, arguments.where, None, tells=sorting_tells(arguments, tracked))
        row = json_object(self.row_items(source, root.selection)).label("row")
        names = stream.columns if stream.room is None else (stream.columns[0], stream.room)
        told = [self.cell(source, names[0]), *[source.column(name) for name in names[1:]]]
        progress = sa.func.json_build_array(*[sa.cast(value, sa.Text()) for value in told]).label("progress")
        statement = sa.select(row, progress).select_from(source.from_).where(*where)
        return self._page(statement, source, arguments, self.rules.select[root.table].limit).subquery(self.name("row"))

    def rows_by_key(self, rows: RowsByKey) -> RowPlan:
        """The visible rows behind a hand-written payload's keys; of many they come in the order of the keys."""
        return RowPlan(self.plan(self._behind(rows)), rows.key_attributes, rows.many, rows.in_list)

    def _behind(self, rows: RowsByKey) -> Json:
        if rows.in_list:
            return self._by_key(rows.root)
        return self._in_order(rows.root, *rows.bound) if rows.many else self.root(rows.root)

    def _by_key(self, root: SelectRoot) -> Json:
        source, where = self._source(root.table, root.arguments.where, None)
        (column,) = self.catalog[root.table].primary_key
        key, row = sa.cast(source.column(column), sa.Text()), json_object(self.row_items(source, root.selection))
        rows = sa.select(key.label("key"), row.label("row")).select_from(source.from_).where(*where)
        return growing_object(rows, self.largest, self.name("rows"))

    def _in_order(self, root: SelectRoot, keys: Bound) -> Json:
        tracked = self.catalog[root.table]
        source, where = self._source(root.table, root.arguments.where, None)
        (column,) = tracked.primary_key
        type_ = replace(tracked.columns[column].type, is_array=True)
        position = sa.func.array_position(sa.cast(self.parameters(keys), Native(type_)), source.comparable(column))
        items = columns_of(self.row_items(source, root.selection))
        rows = sa.select(*items).select_from(source.from_).where(*where).order_by(position).subquery(self.name("row"))
        return growing_rows(rows, self.largest, self.name("rows"))

    def row_items(self, source: RowSource, selection: Selection) -> Items:
        """Response keys and their values over one row of `source`."""
        largest = of_each(self.largest, lists_in(selection))
        related = related_in(selection)
        beside = sum(isinstance(item, RelatedRow) for item in selection)
        items = [(item.key, self._value(source, item, largest, related, beside)) for item in selection]
        return bounded_row(items, selection, source.tracked, self.largest)

    def _row(self, rows: sa.Subquery, related: int, beside: int) -> Json:
        return bounded_json_row(rows, self.largest, beside, self.name("one")) if are_many(related) else json_row(rows)

    def _value(self, source: RowSource, item: RowField, largest: int, related: int, beside: int) -> Json:
        match item:
            case Typename(_, name):
                return text_value(name)
            case ColumnField(_, column, path):
                return self._told(self._at(path, self.cell(source, column)), source.tracked.columns[column].type)
            case ComputedFieldValue():
                return self._told(self._at(item.path, self.computed(source, item)), source.tracked.computed_fields[item.name].type)
            case ComputedRows(_, name, given, arguments, selection):
                function = source.tracked.computed_fields[name].function
                return self._list(function.table, arguments, selection, Called(function, given, source), largest)
            case RelatedRow(_, name, selection):
                join = Join(source, source.tracked.relationships[name])
                one = Arguments() if self._is_unique(join.relationship) else Arguments(limit=1)
                return self._row(self._rows(join.relationship.target, one, selection, join), related, beside)
            case RelatedRows(_, name, arguments, selection):
                join = Join(source, source.tracked.relationships[name])
                return self._list(join.relationship.target, arguments, selection, join, largest)
            case RelatedAggregate(_, name, arguments, parts):
                join = Join(source, source.tracked.relationships[name])
                return self._aggregate(join.relationship.target, arguments, parts, join, largest)

    def cell(self, source: RowSource, column: str) -> Json:
        """A column as the role sees it: null where none of an inherited role's parents that read the column sees the row."""
        return self._shown(source, self._rule(source).redactions.get(column), source.column(column))

    def _at(self, path: Bound | None, value: Json) -> Json:
        """What lies at a path of JSON."""
        return value if path is None else value.op("#>")(sa.cast(self.parameters(path), _TEXTS))

    def _told(self, value: Json, type_: PgType | None) -> Json:
        return told(value, type_, as_text=self.catalog.numbers_as_text)

    def _shown(self, source: RowSource, shown: Expression | None, value: Json) -> Json:
        return value if shown is None else sa.case((self.condition(Rule(shown), source), value))

    def _rule(self, source: RowSource) -> SelectRule:
        return self.rules.select[source.tracked.name]

    def _is_unique(self, relationship: Relationship) -> bool:
        """Whether at most one row can be on the other side: a manual relationship may match many."""
        key = self.catalog[relationship.target].primary_key
        return bool(key) and set(key) <= {remote for _, remote in relationship.columns}

    def _rows(self, table: TableName, arguments: Arguments, selection: Selection, join: Place, most: int | None = None) -> sa.Subquery:
        """The visible rows; `most` of them where more are too large in any case."""
        tracked, rule = self.catalog[table], self.rules.select[table]
        permitted = min([limit for limit in (rule.limit, most) if limit is not None], default=None)
        page = self._known_limit(arguments.limit, permitted)
        if join is None and (branches := branches_of(rule, arguments, page, tracked, self.catalog)):
            self.tables.add(table)
            source = self.rows_of(tracked, NamedTable(tracked.table, self.name(tracked.graphql_name)))
            where = [among_first(self, source, branches, arguments, page)]
        else:
            source, where = self._source(table, arguments.where, join, tells=sorting_tells(arguments, tracked))
        statement = sa.select(*columns_of(self.row_items(source, selection))).select_from(source.from_).where(*where)
        return self._page(statement, source, arguments, permitted).subquery(self.name("row"))

    def _list(self, table: TableName, arguments: Arguments, selection: Selection, join: Place, largest: int) -> Json:
        """Rows as a JSON list of at most so many bytes."""
        few = are_few(arguments, self.rules.select[table].limit)
        lists, long = lists_in(selection), may_be_long(selection, self.catalog[table])
        at_root = join is None or (isinstance(join, Called) and join.parent is None)
        if lists or long or (at_root and not few):
            rows = self._rows(table, arguments, selection, join)
            if lists or at_root:
                return growing_rows(rows, largest, self.name("rows"))
            first = self._rows(table, arguments, selection, join, FEW)
            return short_or_growing_rows(first, rows, largest, self.name("rows"))
        most = None if few else most_rows([item.key for item in selection], largest)
        return checked_rows(self._rows(table, arguments, selection, join, most), largest, self.name("list"))

    def name(self, what: str) -> str:
        """An alias that no response key can shadow: GraphQL names don't start with a digit."""
        self._aliases += 1
        return f"{self._aliases}_{what}"[:60]

    def _source(
        self, table: TableName, where: Expression, place: Place, *, tells: bool = False
    ) -> tuple[RowSource, list[sa.ColumnElement[bool]]]:
        """The visible rows of a table, or of those that a function returns, that `where` keeps, below a parent row when there is one.

        What could tell of hidden rows stands outside a fence around the rule: telling parts of `where`, the comparison with the
        parent row when it tells, and, if the statement `tells`, all that it does with the rows.
        """
        tracked, rule = self.catalog[table], self.rules.select[table]
        # Whatever is done with values that are shown in some rows alone is done with visible rows.
        filter_, tells = rule.filter, tells or bool(rule.redactions)
        name = self.name(tracked.graphql_name)
        alias: NamedFromClause
        if isinstance(place, Called):
            alias, join = place.rows(tracked, name, self.parameters), None
        else:
            alias, join = NamedTable(tracked.table, name), place
        source = self.rows_of(tracked, alias)
        self.tables.add(table)
        if filter_ == TRUE:
            return source, _joined(join, source) + self.visible(source, TRUE, where)
        beside, after = parted(where, tracked)
        if join is not None and not joins_leakproof(join.parent.tracked, tracked, join.relationship.columns):
            fence = self._fenced(tracked, alias, self.visible(source, filter_, beside))
            return fence, _joined(join, fence) + self._after(fence, after)
        if join is not None:
            filter_ = without_implied(filter_, tracked, join.parent.tracked, join.parent.answered, join.relationship)
        conditions = _joined(join, source) + self.visible(source, filter_, beside)
        if after == TRUE and not tells:
            return source, conditions
        fence = self._fenced(tracked, alias, conditions)
        return fence, self._after(fence, after)

    def rows_of(self, tracked: TrackedTable, from_: sa.FromClause) -> RowSource:
        """Visible rows, from wherever."""
        return RowSource(tracked, from_, self.rules.select[tracked.name].filter)

    def _fenced(self, tracked: TrackedTable, alias: NamedFromClause, conditions: list[sa.ColumnElement[bool]]) -> RowSource:
        return self.rows_of(tracked, fenced(tracked, alias, conditions, self.name("visible")))

    def visible(self, source: RowSource, filter_: Expression, where: Expression) -> list[sa.ColumnElement[bool]]:
        """That the filter of a rule lets a row through, and what is asked keeps it."""
        visible = where if filter_ == TRUE else Rule(filter_, where)
        return [] if visible == TRUE else [self.condition(visible, source)]

    def _after(self, fence: RowSource, where: Expression) -> list[sa.ColumnElement[bool]]:
        return [] if where == TRUE else [self.condition(where, fence, after_rule=True)]

    def condition(self, expression: Expression, source: RowSource, *, after_rule: bool = False) -> sa.ColumnElement[bool]:
        """The expression over a row of `source`, its tables and values noted."""
        # What else a function looks at nobody knows; a live query looks again every second anyway.
        self.tables.update(asked_of for _, asked_of in parts(expression, source.tracked.name, self.catalog))
        self._reads.update(values_to_read(expression, source.tracked, self.catalog, self.parameters))
        return condition(expression, source.tracked, source.from_, self.parameters, self.catalog, after_rule=after_rule)

    def computed(self, source: RowSource, field: ComputedFieldValue) -> Json:
        """The value of a computed field of a row of `source`, as the role sees it."""
        value = called(source.tracked.computed_fields[field.name].function, field.given, self.parameters, source)
        return self._shown(source, self._rule(source).computed_redactions.get(field.name), value)

    def _page(self, statement: sa.Select[Any], source: RowSource, arguments: Arguments, permitted: int | None) -> sa.Select[Any]:
        if arguments.distinct_on:
            statement = statement.ext(distinct_on(*[self.cell(source, name) for name in arguments.distinct_on]))
        statement = statement.order_by(*[self.order(source, by) for by in arguments.order_by])
        limit = self._limit(arguments.limit, permitted)
        if limit is not None:
            statement = statement.limit(limit)
        return statement if arguments.offset is None else statement.offset(sa.cast(self.parameters(arguments.offset), _BIGINT))

    def _known_limit(self, asked: int | Bound | None, permitted: int | None) -> int | None:
        """A limit that does not hang on the request's values; None where there is none."""
        if isinstance(asked, Bound):
            return None
        return min([limit for limit in (asked, permitted) if limit is not None], default=None)

    def _limit(self, asked: int | Bound | None, permitted: int | None) -> Json | None:
        if isinstance(asked, Bound):
            bound = sa.cast(self.parameters(asked), _BIGINT)
            return bound if permitted is None else sa.func.least(bound, sa.literal_column(str(permitted)))
        known = self._known_limit(asked, permitted)
        return None if known is None else sa.literal_column(str(known))

    def order(self, source: RowSource, by: OrderBy) -> Any:
        """What rows are sorted by."""
        value = self._order_value(source, by, by.relationships)
        ordered = value.desc() if by.direction.startswith("desc") else value.asc()
        if by.direction.endswith("nulls_first"):
            return ordered.nulls_first()
        return ordered.nulls_last() if by.direction.endswith("nulls_last") else ordered

    def _order_value(self, source: RowSource, by: OrderBy, way: tuple[str, ...]) -> Json:
        """The value ordered by: the target's select filter holds on the way, so hidden rows can't be sorted out."""
        if not way and by.aggregate is None:
            if by.computed is not None:
                return self.computed(source, ComputedFieldValue("", by.computed))
            return source.column(by.column or "") if by.as_stored else self.cell(source, by.column or "")
        table, place = self._way(source, way[0] if way else by.aggregate or "")
        applied_to = [by.column] if by.column and not way else []
        tells = values_tell(self.catalog[table], applied_to) or by.computed is not None
        target, where = self._source(table, TRUE, place, tells=tells)
        if way:
            value = self._order_value(target, by, way[1:])
        elif by.column is None:
            value = sa.func.count()
        else:
            value = applied(by.function or "", self.cell(target, by.column))
        selected = sa.select(value).select_from(target.from_).where(*where)
        may_be_many = way and isinstance(place, Join) and not self._is_unique(place.relationship)
        return (selected.limit(sa.literal_column("1")) if may_be_many else selected).scalar_subquery()

    def _way(self, source: RowSource, name: str) -> tuple[TableName, Join | Called]:
        """Where a relationship, or a computed field that returns rows, leads from a row."""
        if relationship := source.tracked.relationships.get(name):
            return relationship.target, Join(source, relationship)
        function = source.tracked.computed_fields[name].function
        return function.table, Called(function, {}, source)

    def _aggregate(self, table: TableName, arguments: Arguments, parts: Sequence[AggregatePart], join: Place, largest: int) -> Json:
        return json_object([(part.key, self._aggregate_part(table, arguments, part, join, largest)) for part in parts])

    def _aggregate_part(self, table: TableName, arguments: Arguments, part: AggregatePart, join: Place, largest: int) -> Json:
        match part:
            case Typename(_, name):
                return text_value(name)
            case AggregateNodes(_, selection):
                return self._list(table, arguments, selection, join, largest)
        tracked = self.catalog[table]
        tells = sorting_tells(arguments, tracked) or aggregate_tells(part, tracked)
        source, where = self._source(table, arguments.where, join, tells=tells)
        rows: sa.FromClause = source.from_
        redactions, fields = self.rules.select[table].redactions, computed_in(part)
        paged = bool(redactions or arguments.limit is not None or arguments.offset is not None or arguments.distinct_on)
        if paged:
            # Hasura: the caller's own page counts for the values, the permission's limit does not.
            cells = [self.cell(source, name).label(name) if name in redactions else source.column(name) for name in tracked.columns]
            # No column of a table that GraphQL can name looks like this.
            values = [self.computed(source, field).label(f"0_computed_{index}") for index, field in enumerate(fields)]
            page = sa.select(*cells, *values).select_from(rows).where(*where)
            rows, where = self._page(page, source, arguments, None).subquery(self.name("page")), []

        def computed_of(field: ComputedFieldValue) -> Json:
            return rows.columns[f"0_computed_{fields.index(field)}"] if paged else self.computed(source, field)

        as_text = self.catalog.numbers_as_text
        return aggregate_values(part, rows, where, self.name("values"), largest, computed_of, as_text=as_text)


def _joined(join: Join | None, source: RowSource) -> list[sa.ColumnElement[bool]]:
    return [] if join is None else join.conditions(source)
