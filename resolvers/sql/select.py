"""Selections over tables as SQL: each list, row and aggregate is one scalar subquery that gives JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import sqlalchemy as sa

from permissions.compiling.bool_exp import Condition
from permissions.compiling.filled_text import FilledText, NamedRows
from permissions.compiling.named_table import NamedTable
from permissions.compiling.select_text import ALL, ONCE, Page, subselect
from permissions.expressions import Bound
from resolvers.ir import (
    AggregateNodes,
    AggregatePart,
    Arguments,
    ColumnField,
    ComputedFieldValue,
    ComputedRows,
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
from resolvers.sql.aggregate import aggregate_values, computed_in
from resolvers.sql.first_rows import among_first
from resolvers.sql.json_values import Items, Json, columns_of, json_object, json_row, nested_row, response_object, text_value
from resolvers.sql.live_plan import LivePlan, OwnParameters
from resolvers.sql.pages import comes_first, known_limit, page
from resolvers.sql.plan import Plan, RowPlan
from resolvers.sql.row_source import Called, Join, RowSource, aggregate_tells, sorting_tells
from resolvers.sql.rule_branches import branches_of
from resolvers.sql.size.answer_size import (
    FEW,
    are_few,
    checked_statement,
    growing_batch,
    growing_object,
    most_rows,
)
from resolvers.sql.size.held import HeldParts, Shares, held_by_roots
from resolvers.sql.size.list_text import checked_rows, growing_rows, short_or_growing_rows
from resolvers.sql.size.row_size import (
    are_many,
    bounded_json_row,
    bounded_reads,
    bounded_row,
    bounded_value,
    computed_values_in,
    related_in,
)
from resolvers.sql.size.widths import computed_is_long, holds_lists, may_be_long, widest
from resolvers.sql.values_before_rows import all_read
from resolvers.sql.visible_rows import Place, VisibleRows
from schema.model import TableName
from schema.sql_types import Native

_BOOLEAN: Final = sa.Boolean()


@dataclass(slots=True)
class Selects(VisibleRows):
    """Compiles the selections of one statement; `shares` are what each list and the like in it may be."""

    shares: Shares = field(init=False)

    def alone(self, root: SelectRoot) -> Json:
        """The value of a select root field that has a statement of its own."""
        self.hold(held_by_roots([root], self.catalog))
        return self._root(root, 1)

    def hold(self, held: HeldParts) -> None:
        """PostgreSQL will hold so much that may be long."""
        self.shares = Shares.of(held, self.largest)

    def _root(self, root: SelectRoot, beside: int) -> Json:
        """One of so many."""
        place = None if root.function is None else Called(root.function, root.given)
        if root.kind == "select_aggregate":
            return self._aggregate(root.table, root.arguments, root.parts, place)
        if root.kind == "select_by_pk":
            row = self._rows(root.table, root.arguments, root.selection, place)
            measured = are_many(beside) or (beside > 1 and may_be_long(root.selection, self.catalog[root.table], self.catalog))
            return bounded_json_row(row, self.shares.value, self.name("one")) if measured else json_row(row)
        return self._list(root.table, root.arguments, root.selection, place)

    def plan(self, value: Json, largest: int | None = None) -> Plan:
        """A statement whose single value this is, no larger than an answer may be, or than this; it reads the request's values first."""
        checked = checked_statement(value, all_read(list(self._reads.values())), largest or self.largest)
        return self.parameters.plan(checked, self.tables)

    def response(self, roots: Sequence[SelectRoot | Typename]) -> Plan:
        """The whole response to a query of table fields."""
        self.hold(held_by_roots(roots, self.catalog))
        return self.plan(response_object([(root.key, self._told(root, len(roots))) for root in roots]))

    def live_plan(self, roots: Sequence[SelectRoot | Typename]) -> LivePlan:
        """A subscription's payloads, of many sessions in one statement: `parameters` are an `OwnParameters`. A stream is the only table."""
        if not isinstance(self.parameters, OwnParameters):
            raise TypeError("a live plan needs parameters of its own")
        self.hold(held_by_roots(roots, self.catalog))
        streams = [(root, root.stream) for root in roots if isinstance(root, SelectRoot) and root.stream is not None]
        batches = {root.key: growing_batch(self._batch(root, stream), self.largest, self.name("batch")) for root, stream in streams}
        values = [(root.key, batches[root.key].columns["list"] if root.key in batches else self._told(root, len(roots))) for root in roots]
        answer, told = response_object(values).label("answer"), self._progress(batches)
        statement = sa.select(answer, *told).select_from(*batches.values()).where(*all_read(list(self._reads.values())))
        return self.parameters.live_plan(statement, self.largest, self.tables, streams[0][1] if streams else None)

    def _told(self, root: SelectRoot | Typename, beside: int) -> Json:
        return text_value(root.name) if isinstance(root, Typename) else self._root(root, beside)

    def _progress(self, batches: Mapping[str, NamedRows]) -> list[Json]:
        """How far each batch leads; beside it once, for all sessions, of which history: rows and history are of the same moment."""
        progress: list[Json] = [batch.columns["progress"].label("progress") for batch in batches.values()]
        if progress and self.catalog.epoch is not None:
            progress.append(sa.literal_column(f"(SELECT {self.catalog.epoch})").label("epoch"))
        return progress

    def _batch(self, root: SelectRoot, stream: Stream) -> NamedRows:
        """The next rows of a stream as JSON, each with how far it leads; nothing of that is the client's to see."""
        tracked, arguments = self.catalog[root.table], root.arguments
        source, where = self.source(root.table, arguments.where, None, tells=sorting_tells(arguments, tracked))
        asked = page(self, source, arguments, self.rules.select[root.table].limit)
        if comes_first(arguments, root.selection):
            source, where, asked = self.of_page(source, where, asked), [], ALL
        row = json_object(self.row_items(source, root.selection))
        names = stream.columns if stream.room is None else (stream.columns[0], stream.room)
        told = [self.cell(source, names[0]), *[source.column(name) for name in names[1:]]]
        progress = sa.func.json_build_array(*[sa.cast(value, sa.Text()) for value in told])
        return subselect(self.name("row"), [("row", row), ("progress", progress)], source.from_, where, asked)

    def rows_by_key(self, rows: RowsByKey) -> RowPlan:
        """The visible rows behind a hand-written payload's keys; of many they come in the order of the keys."""
        self.hold(held_by_roots([rows.root], self.catalog))
        return RowPlan(self.plan(self._behind(rows)), rows.key_attributes, rows.many, rows.in_list)

    def _behind(self, rows: RowsByKey) -> Json:
        if rows.in_list:
            return self._by_key(rows.root)
        return self._in_order(rows.root, *rows.bound) if rows.many else self._root(rows.root, 1)

    def _by_key(self, root: SelectRoot) -> Json:
        source, where = self.source(root.table, root.arguments.where, None)
        (column,) = self.catalog[root.table].primary_key
        key, row = sa.cast(source.column(column), sa.Text()), json_object(self.row_items(source, root.selection))
        rows = subselect(self.name("row"), [("key", key), ("row", row)], source.from_, where, ONCE)
        return growing_object(rows, self.largest, self.name("rows"))

    def _in_order(self, root: SelectRoot, keys: Bound) -> Json:
        tracked = self.catalog[root.table]
        source, where = self.source(root.table, root.arguments.where, None)
        (column,) = tracked.primary_key
        type_ = replace(tracked.columns[column].type, is_array=True)
        position = sa.func.array_position(sa.cast(self.parameters(keys), Native(type_)), source.comparable(column))
        items = columns_of(self.row_items(source, root.selection))
        rows = subselect(self.name("row"), items, source.from_, where, Page([FilledText(position.type, [position])]))
        return growing_rows(rows, self.largest, self.name("rows"))

    def row_items(self, source: RowSource, selection: Selection) -> Items:
        """Response keys and their values over one row of `source`."""
        related, computed = related_in(selection), computed_values_in(selection, source.tracked, self.catalog)
        items = [(item.key, self._value(source, item, related, computed)) for item in selection]
        most = self.shares.read
        bounded = bounded_row(items, selection, source.tracked, self.largest, paths=most is None)
        return bounded if most is None else bounded_reads(bounded, selection, lambda column: self.cell(source, column), most)

    def _value(self, source: RowSource, item: RowField, related: int, computed: int) -> Json:
        match item:
            case Typename(_, name):
                return text_value(name)
            case ColumnField(_, column, path):
                return self.told(self.at(path, self.cell(source, column)), source.tracked.columns[column].type)
            case ComputedFieldValue():
                value = self.told(self.at(item.path, self.computed(source, item)), source.tracked.computed_fields[item.name].type)
                measured = computed > 1 and computed_is_long(item, source.tracked)
                return bounded_value(value, self.shares.value, self.name("value")) if measured else value
            case ComputedRows(_, name, given, arguments, selection):
                function = source.tracked.computed_fields[name].function
                return self._list(function.table, arguments, selection, Called(function, given, source))
            case RelatedRow(_, name, selection):
                join = Join(source, source.tracked.relationships[name])
                one = Arguments() if self.is_unique(join.relationship) else Arguments(limit=1)
                row = self._rows(join.relationship.target, one, selection, join)
                measured = are_many(related) or (
                    related > 1 and may_be_long(selection, self.catalog[join.relationship.target], self.catalog)
                )
                return bounded_json_row(row, self.shares.value, self.name("one")) if measured else nested_row(row)
            case RelatedRows(_, name, arguments, selection):
                join = Join(source, source.tracked.relationships[name])
                return self._list(join.relationship.target, arguments, selection, join)
            case RelatedAggregate(_, name, arguments, parts):
                join = Join(source, source.tracked.relationships[name])
                return self._aggregate(join.relationship.target, arguments, parts, join)

    def _rows(self, table: TableName, arguments: Arguments, selection: Selection, join: Place, most: int | None = None) -> NamedRows:
        """The visible rows; `most` of them where more are too large in any case."""
        tracked, rule = self.catalog[table], self.rules.select[table]
        permitted = min([limit for limit in (rule.limit, most) if limit is not None], default=None)
        length = known_limit(arguments.limit, permitted)
        if join is None and (branches := branches_of(rule, arguments, length, tracked, self.catalog)):
            self.tables.add(table)
            source = self.rows_of(tracked, NamedTable(tracked.table, self.name(tracked.graphql_name)))
            where: list[Condition] = [among_first(self, source, branches, arguments, length)]
        else:
            source, where = self.source(table, arguments.where, join, tells=sorting_tells(arguments, tracked))
        asked = page(self, source, arguments, permitted)
        if comes_first(arguments, selection):
            source, where, asked = self.of_page(source, where, asked), [], ALL
        return subselect(self.name("row"), columns_of(self.row_items(source, selection)), source.from_, where, asked)

    def _list(self, table: TableName, arguments: Arguments, selection: Selection, join: Place) -> Json:
        """Rows as a JSON list that is no larger than its share."""
        tracked, rule, lists = self.catalog[table], self.rules.select[table], holds_lists(selection)
        share, few = self.shares.of_list(selection), are_few(arguments, rule.limit)
        most = most_rows([item.key for item in selection], share)
        rows = known_limit(arguments.limit, rule.limit) if few else None
        long = widest(selection, tracked, self.catalog) * (rows or most) > self.shares.gathered
        at_root = join is None or (isinstance(join, Called) and join.parent is None)
        if not (lists or long or (at_root and not few)):
            return checked_rows(self._rows(table, arguments, selection, join, None if few else most), share, self.name("list"))
        # With a LIMIT PostgreSQL sorts before it makes what is sorted, which the running sum then ends.
        sorted_whole = arguments.order_by and arguments.limit is None
        growing = self._rows(table, arguments, selection, join, most if sorted_whole else None)
        if lists or at_root:
            return growing_rows(growing, share, self.name("rows"))
        return short_or_growing_rows(self._rows(table, arguments, selection, join, FEW), growing, share, self.name("rows"))

    def _aggregate(self, table: TableName, arguments: Arguments, parts: Sequence[AggregatePart], join: Place) -> Json:
        return json_object([(part.key, self._aggregate_part(table, arguments, part, join)) for part in parts])

    def _aggregate_part(self, table: TableName, arguments: Arguments, part: AggregatePart, join: Place) -> Json:
        match part:
            case Typename(_, name):
                return text_value(name)
            case AggregateNodes(_, selection):
                return self._list(table, arguments, selection, join)
        tracked = self.catalog[table]
        tells = sorting_tells(arguments, tracked) or aggregate_tells(part, tracked)
        source, where = self.source(table, arguments.where, join, tells=tells)
        redactions, fields = self.rules.select[table].redactions, computed_in(part)
        paged = bool(redactions or arguments.limit is not None or arguments.offset is not None or arguments.distinct_on)
        if paged:
            # Hasura: the caller's own page counts for the values, the permission's limit does not.
            asked = page(self, source, arguments, None)
            if fields:
                source, where, asked = self.of_page(source, where, asked), [], ALL
            cells = [(name, self.cell(source, name)) for name in tracked.columns]
            # No column of a table that GraphQL can name looks like this.
            values = [(f"0_computed_{index}", self.computed(source, field)) for index, field in enumerate(fields)]
            rows: sa.FromClause = subselect(self.name("page"), [*cells, *values], source.from_, where, asked)
            where = []
        else:
            rows = source.from_

        def computed_of(field: ComputedFieldValue) -> Json:
            return rows.columns[f"0_computed_{fields.index(field)}"] if paged else self.computed(source, field)

        as_text = self.catalog.numbers_as_text
        return aggregate_values(part, rows, where, self.name("values"), self.shares.value, computed_of, as_text=as_text)
