"""Rows of a statement as its role sees them: where they come from, the rule that keeps them, and what their cells show."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause

from permissions.compiling.bool_exp import Condition, condition
from permissions.compiling.leakproof import joins_leakproof, parted
from permissions.compiling.named_table import NamedTable
from permissions.compiling.parts import parts
from permissions.compiling.select_text import Page
from permissions.expressions import TRUE, Bound, Expression, Rule
from permissions.rules import RoleRules, SelectRule
from resolvers.ir import ComputedFieldValue
from resolvers.sql.implied_conditions import without_implied
from resolvers.sql.json_values import Json, told
from resolvers.sql.parameters import Parameters
from resolvers.sql.row_source import Called, Join, RowSource, called, fenced
from resolvers.sql.values_before_rows import values_to_read
from schema.model import Catalog, PgType, Relationship, TableName, TrackedTable
from schema.sql_types import Native

_TEXTS = Native(PgType("text", is_array=True))
# Where rows come from beside a table of their own: a parent row, or a function.
Place = Join | Called | None


@dataclass(slots=True)
class VisibleRows:
    """Those of one statement; `tables` are those it reads, `largest` the bytes of its answer."""

    catalog: Catalog
    rules: RoleRules
    parameters: Parameters
    largest: int
    tables: set[TableName] = field(default_factory=set)
    _reads: dict[object, Json] = field(default_factory=dict)
    _aliases: int = 0

    def name(self, what: str) -> str:
        """An alias that no response key can shadow: GraphQL names don't start with a digit."""
        self._aliases += 1
        return f"{self._aliases}_{what}"[:60]

    def cell(self, source: RowSource, column: str) -> Json:
        """A column as the role sees it: null where none of an inherited role's parents that read the column sees the row."""
        return self._shown(source, self._rule(source).redactions.get(column), source.column(column))

    def at(self, path: Bound | None, value: Json) -> Json:
        """What lies at a path of JSON."""
        return value if path is None else value.op("#>")(sa.cast(self.parameters(path), _TEXTS))

    def told(self, value: Json, type_: PgType | None) -> Json:
        return told(value, type_, as_text=self.catalog.numbers_as_text)

    def _shown(self, source: RowSource, shown: Expression | None, value: Json) -> Json:
        return value if shown is None else sa.case((self.condition(Rule(shown), source), value))

    def _rule(self, source: RowSource) -> SelectRule:
        return self.rules.select[source.tracked.name]

    def is_unique(self, relationship: Relationship) -> bool:
        """Whether at most one row can be on the other side: a manual relationship may match many."""
        key = self.catalog[relationship.target].primary_key
        return bool(key) and set(key) <= {remote for _, remote in relationship.columns}

    def source(self, table: TableName, where: Expression, place: Place, *, tells: bool = False) -> tuple[RowSource, list[Condition]]:
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
        return RowSource(tracked, from_, self.rules.select[tracked.name].filter)

    def _fenced(self, tracked: TrackedTable, alias: NamedFromClause, conditions: list[Condition]) -> RowSource:
        return self.rows_of(tracked, fenced(tracked, alias, conditions, self.name("visible")))

    def of_page(self, source: RowSource, conditions: Sequence[Condition], page: Page) -> RowSource:
        """The rows of a page: nothing is made of those before it, nor of those that it drops."""
        return self.rows_of(source.tracked, fenced(source.tracked, source.from_, conditions, self.name("page"), page))

    def visible(self, source: RowSource, filter_: Expression, where: Expression) -> list[Condition]:
        visible = where if filter_ == TRUE else Rule(filter_, where)
        return [] if visible == TRUE else [self.condition(visible, source)]

    def _after(self, fence: RowSource, where: Expression) -> list[Condition]:
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


def _joined(join: Join | None, source: RowSource) -> list[Condition]:
    return [] if join is None else join.conditions(source)
