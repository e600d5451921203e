"""Boolean expressions as SQL conditions: over any alias of a table, every value a parameter."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import singledispatchmethod
from typing import Any, cast

import sqlalchemy as sa

from permissions.compiling.filled_text import FilledText, NamedRows
from permissions.compiling.function_call import asks_session, call, returned_rows
from permissions.compiling.leakproof import joins_leakproof, parted
from permissions.compiling.named_table import NamedTable
from permissions.compiling.outer_column import outer
from permissions.compiling.rule_text import JudgedRow, rule_text
from permissions.compiling.select_text import ALL, ONCE, exists, subselect
from permissions.compiling.whole_row import whole_row
from permissions.expressions import (
    TRUE,
    AggregatePredicate,
    And,
    BeyondItsRoom,
    Bound,
    Compare,
    CompareColumns,
    CompareComputed,
    Constant,
    Exists,
    Expression,
    Not,
    Operand,
    Or,
    Progress,
    Redacted,
    Related,
    Returned,
    Rule,
    SessionVariable,
    WholeSession,
)
from permissions.literals import literal
from schema.foreign_keys import Pairs, foreign_keys
from schema.model import Catalog, ComputedField, PgType, Relationship, TrackedTable
from schema.operators import COLUMN_OPERATORS, OPERATORS
from schema.sql_types import Native, as_its_type, comparable
from schema.type_names import PREDICATE_FUNCTIONS

Condition = sa.ColumnElement[bool]
# Gives the parameter of an operand, typed text. A Constant arrives as the text (or null) to be cast.
Bind = Callable[[Operand], sa.ColumnElement[str]]

# Not `sa.true()`: SQLAlchemy would drop the other branches of an OR, and with them the session variables that must be there.
_TRUE: Condition = sa.literal_column("true", sa.Boolean())
_FALSE: Condition = sa.literal_column("false", sa.Boolean())
_UNKNOWN: Condition = sa.literal_column("CAST(NULL AS boolean)", sa.Boolean())
# Binds tighter than AND and NOT, like every comparison.
_COMPARISON_PRECEDENCE = 5


def condition(
    expression: Expression, tracked: TrackedTable, from_: sa.FromClause, bind: Bind, catalog: Catalog, *, after_rule: bool = False
) -> Condition:
    """The condition that a row of `from_` (the table of `tracked`, or an alias of it) satisfies `expression`.

    It may be unknown (NULL), which grants nothing: use it in WHERE, or with IS TRUE. `bind` is called for every operand, also
    in branches that can't matter, so that a missing session variable is always told. `after_rule` is for what is decided on
    visible rows alone: then the planner doesn't see its values.
    """
    return _Compiler(catalog, bind, "asked").compile(expression, _Scope(tracked, from_, tracked, from_, after_rule))


@dataclass(frozen=True, slots=True)
class _Scope:
    """The table that names belong to, the root table that `$` means, and whether a rule has been decided before."""

    tracked: TrackedTable
    from_: sa.FromClause
    root: TrackedTable
    root_from: sa.FromClause
    after_rule: bool = False

    def inside(self, tracked: TrackedTable, from_: sa.FromClause) -> "_Scope":
        return _Scope(tracked, from_, self.root, self.root_from, self.after_rule)

    def own(self, column: str) -> sa.ColumnElement[Any]:
        return self.from_.columns[column]

    def whole(self) -> sa.ColumnElement[Any]:
        """The row as one value."""
        judged: object = self.from_
        return judged.whole() if isinstance(judged, JudgedRow) else whole_row(self.from_, self.tracked.table)

    def of_root(self, column: str) -> sa.ColumnElement[Any]:
        found: sa.ColumnElement[Any] = self.root_from.columns[column]
        return found if self.root_from is self.from_ else outer(found)


class _Compiler:
    """`named` is what its own tables are called, each with a number: those of a rule may stand inside what is asked."""

    def __init__(self, catalog: Catalog, bind: Bind, named: str) -> None:
        self.catalog, self.bind, self.named, self.numbers = catalog, bind, named, itertools.count(1)

    @singledispatchmethod
    def compile(self, expression: Expression, scope: _Scope) -> Condition:
        raise TypeError(f"no expression over {scope.tracked.name}: {expression!r}")

    @compile.register
    def _(self, expression: And, scope: _Scope) -> Condition:
        terms = [self.compile(term, scope) for term in expression.terms]
        return sa.and_(*terms) if terms else _TRUE

    @compile.register
    def _(self, expression: Or, scope: _Scope) -> Condition:
        terms = [self.compile(term, scope) for term in expression.terms]
        return sa.or_(*terms) if terms else _FALSE

    @compile.register
    def _(self, expression: Not, scope: _Scope) -> Condition:
        return sa.not_(self.compile(expression.term, scope))

    @compile.register
    def _(self, expression: Rule, scope: _Scope) -> Condition:
        conditions = self.ruled(expression, scope, (), ())
        return conditions[0] if len(conditions) == 1 else sa.and_(*conditions)

    def ruled(self, rule: Rule, scope: _Scope, beside: Sequence[Condition], after: Sequence[Condition]) -> list[Condition]:
        """The rule, what may stand beside it in any order, and what comes after it.

        CASE is PostgreSQL's own way to give an order to conditions. The rule stands in the open as well, where indexes serve it.
        """
        rule_holds = self.rule(rule.where, scope)
        leakproof, telling = parted(rule.asked, scope.tracked)
        conditions = [*beside, rule_holds]
        if leakproof != TRUE:
            conditions.append(self.compile(leakproof, scope))
        if telling != TRUE:
            after = [*after, self.compile(telling, replace(scope, after_rule=True))]
        return [*conditions, sa.case((rule_holds, sa.and_(*after)), else_=_FALSE)] if after else conditions

    def rule(self, where: Expression, scope: _Scope) -> Condition:
        """A rule, from its text. The names of its own tables are unlike all others, so that none stands for another one."""

        def build(row: JudgedRow, bind: Bind) -> Condition:
            judged = cast(sa.FromClause, row)
            return _Compiler(self.catalog, bind, "rule").compile(where, _Scope(scope.tracked, judged, scope.tracked, judged))

        return rule_text(where, scope.tracked, self.catalog, build).over(scope.from_, self.bind)

    @compile.register
    def _(self, expression: Compare, scope: _Scope) -> Condition:
        column = scope.tracked.columns[expression.column]
        return self.compared(scope.own(column.name), column.type, expression, scope, nullable=column.nullable)

    @compile.register
    def _(self, expression: Redacted, scope: _Scope) -> Condition:
        compare = expression.compare
        if isinstance(compare, Compare):
            column = scope.tracked.columns[compare.column]
            left, type_, nullable = scope.own(column.name), column.type, column.nullable
        else:
            field = scope.tracked.computed_fields[compare.field]
            left, type_, nullable = self.call(field, scope), field.value_type(), True
        return self.compared(self.shown(left, expression.shown, scope), type_, compare, scope, nullable=nullable)

    def shown(self, cell: sa.ColumnElement[Any], rule: Expression | None, scope: _Scope) -> sa.ColumnElement[Any]:
        """A cell, null wherever the rule that shows it doesn't hold."""
        return cell if rule is None else sa.case((self.rule(rule, scope), cell))

    @compile.register
    def _(self, expression: CompareComputed, scope: _Scope) -> Condition:
        field = scope.tracked.computed_fields[expression.field]
        return self.compared(self.call(field, scope), field.value_type(), expression, scope, nullable=True)

    def call(self, field: ComputedField, scope: _Scope) -> sa.sql.functions.Function[Any]:
        """The function of a computed field that takes nothing but the row, and the session."""
        return call(field.function, {}, self.bind(WholeSession()) if asks_session(field) else None, scope.whole())

    def compared(
        self, left: sa.ColumnElement[Any], type_: PgType, expression: Compare | CompareComputed, scope: _Scope, *, nullable: bool
    ) -> Condition:
        """A value of a type, compared as the expression says."""
        if expression.cast is not None:
            left, type_ = sa.cast(left, Native(expression.cast)), expression.cast
        left = as_its_type(left, type_)
        operator = OPERATORS[expression.operator]
        if isinstance(expression.operand, Constant):
            if operator.operand == "flag":
                return left.is_(None) if expression.operand.value else left.is_not(None)
            if expression.operand.value is None:
                return _against_null(operator.name, left, nullable)
        right = self.parameter(expression.operand, operator.operand_type(type_), after_rule=scope.after_rule)
        if operator.operand == "flag":
            return _comparison(left.is_(None), "=", right)
        if operator.quantifier is not None:
            if type_.is_array:
                right = _unnested(right, type_)
            each = sa.any_(right) if operator.quantifier == "ANY" else sa.all_(right)
            return _comparison(left, operator.sql.split()[0], each)
        return _comparison(left, operator.sql, right)

    @compile.register
    def _(self, expression: CompareColumns, scope: _Scope) -> Condition:
        other = scope.of_root(expression.other) if expression.of_root else scope.own(expression.other)
        others = (scope.root if expression.of_root else scope.tracked).columns[expression.other]
        left = as_its_type(scope.own(expression.column), scope.tracked.columns[expression.column].type)
        return _comparison(left, COLUMN_OPERATORS[expression.operator], as_its_type(other, others.type))

    @compile.register
    def _(self, expression: BeyondItsRoom, scope: _Scope) -> Condition:
        column = scope.tracked.columns[expression.column]
        # A subselect is read once per statement.
        known = sa.select(sa.cast(self.bind(expression.known), Native(PgType("jsonb")))).scalar_subquery()
        own: sa.ColumnElement[Any] = sa.cast(known.op("->>")(sa.cast(scope.own(expression.room), sa.Text())), Native(column.type))
        since = self.parameter(expression.since, column.type)
        return _comparison(scope.own(column.name), OPERATORS[expression.operator].sql, sa.func.coalesce(own, since))

    @compile.register
    def _(self, expression: Exists, scope: _Scope) -> Condition:
        return self.exists(self.catalog[expression.table], (), expression.where, scope, leakproof=True)

    @compile.register
    def _(self, expression: Related, scope: _Scope) -> Condition:
        related = scope.tracked.relationships[expression.relationship]
        if shorter := shortcut(related, expression.where, self.catalog):
            pairs, target, where = shorter
        else:
            pairs, target, where = related.columns, self.catalog[related.target], expression.where
        leakproof = joins_leakproof(scope.tracked, target, pairs)
        return self.exists(target, pairs, where, scope, leakproof=leakproof)

    @compile.register
    def _(self, expression: Returned, scope: _Scope) -> Condition:
        field = scope.tracked.computed_fields[expression.field]
        target = self.catalog[field.function.table]
        rows = returned_rows(self.call(field, scope), target, self.alias())
        return self.satisfied(target, rows, expression.where, scope)

    def alias(self) -> str:
        """A name for a table."""
        return f"0_{self.named}_{next(self.numbers)}"

    def satisfied(self, target: TrackedTable, rows: sa.FromClause, where: Expression, scope: _Scope) -> Condition:
        """One of the rows satisfies `where`."""
        inside = scope.inside(target, rows)
        conditions = self.ruled(where, inside, (), ()) if isinstance(where, Rule) else [self.compile(where, inside)]
        return exists(rows, conditions)

    def exists(self, target: TrackedTable, pairs: Pairs, where: Expression, scope: _Scope, *, leakproof: bool) -> Condition:
        """A row of `target` that `pairs` of columns join; where they are not leakproof, they come after the rule of `target`."""
        alias = NamedTable(target.table, self.alias())
        conditions = self.joined(target, alias, pairs, where, scope, leakproof=leakproof)
        return exists(alias, conditions)

    def joined(
        self, target: TrackedTable, alias: sa.FromClause, pairs: Pairs, where: Expression, scope: _Scope, *, leakproof: bool
    ) -> list[Condition]:
        """What a row of `target` has to satisfy, below the row that is judged."""
        inside = scope.inside(target, alias)
        own, others = scope.tracked.table, target.table
        joined = [
            _comparison(comparable(alias.columns[remote], others, remote), "=", comparable(outer(scope.own(local)), own, local))
            for local, remote in pairs
        ]
        if isinstance(where, Rule):
            return self.ruled(where, inside, joined if leakproof else (), () if leakproof else joined)
        return joined if where == TRUE else [*joined, self.compile(where, inside)]

    @compile.register
    def _(self, expression: AggregatePredicate, scope: _Scope) -> Condition:
        rows = self.aggregated(expression, scope)
        over: list[Any] = [*rows.columns.values()] if expression.cells else []
        if len(over) > 1:
            over = [sa.tuple_(*over)]
        value: sa.ColumnElement[Any] = getattr(sa.func, expression.function)(*map(sa.distinct, over) if expression.distinct else over)
        compares = [Compare(expression.function, operator, operand) for operator, operand in expression.terms]
        type_ = PREDICATE_FUNCTIONS[expression.function]
        having = [self.compared(value, type_, compare, scope, nullable=True) for compare in compares]
        return FilledText(_TRUE.type, ["(EXISTS (SELECT 1 FROM ", rows, " HAVING ", sa.and_(_TRUE, *having), "))"])

    def aggregated(self, expression: AggregatePredicate, scope: _Scope) -> NamedRows:
        """The related rows, of each the cells that are taken. Different ones are told apart by a sort, which may see visible rows alone."""
        related = scope.tracked.relationships[expression.relationship]
        target = self.catalog[related.target]
        alias = NamedTable(target.table, self.alias())
        inside = scope.inside(target, alias)
        leakproof = joins_leakproof(scope.tracked, target, related.columns)
        conditions = self.joined(target, alias, related.columns, expression.where, scope, leakproof=leakproof)
        cells = [self.shown(inside.own(column), shown, inside) for column, shown in expression.cells] or [sa.literal_column("1")]
        items = [(str(place), cell) for place, cell in enumerate(cells)]
        return subselect(self.alias(), items, alias, conditions, ONCE if expression.distinct else ALL)

    def parameter(self, operand: Operand, type_: PgType, *, after_rule: bool = False) -> sa.ColumnElement[Any]:
        """The operand, cast to its type in SQL, so that PostgreSQL's own words answer a bad value."""
        match operand:
            case Constant(value):
                text = literal(value, type_)
                # As part of the statement they match partial indexes and are estimated by their own frequency.
                parameter = sa.literal_column(f"'{text}'") if _is_plain(text, type_) else self.bind(Constant(text))
                return sa.cast(parameter, Native(type_))
            case SessionVariable() if not type_.is_array:
                # A subselect is read once per statement; a bare cast in a generic plan is done again for every row.
                return sa.select(sa.cast(self.bind(operand), Native(type_))).scalar_subquery()
            case Bound() if after_rule or type_.is_array:
                # A list is read once, for the time that it takes for each row would tell of rows; and what comes after a rule is unknown to
                # the planner, who calls an operator whose right side it knows on the values in its statistics, whoever may see them.
                return sa.cast(sa.select(sa.cast(self.bind(operand), Native(type_))).scalar_subquery(), Native(type_))
            case SessionVariable() | Bound() | Progress() | WholeSession():
                return sa.cast(self.bind(operand), Native(type_))


def _unnested(texts: sa.ColumnElement[Any], type_: PgType) -> Any:
    """The rows of a list of texts, each read as `type_`."""
    text = sa.func.unnest(texts).column_valued("value")
    return sa.select(sa.cast(text, Native(type_))).scalar_subquery()


def _is_plain(text: str | None, type_: PgType) -> bool:
    """True, false and the labels of an enum: few, known, and never in need of quoting."""
    choices = ("true", "false") if type_.name == "bool" else type_.labels
    return text in choices and text.replace("_", "").isalnum() and not type_.is_array


def _comparison(left: sa.ColumnElement[Any] | Condition, operator: str, right: sa.ColumnElement[Any]) -> Condition:
    result: Condition = left.op(operator, precedence=_COMPARISON_PRECEDENCE, is_comparison=True)(right)
    return result


def shortcut(
    first: Relationship, where: Expression, catalog: Catalog
) -> tuple[tuple[tuple[str, str], ...], TrackedTable, Expression] | None:
    """Leaves out the table in the middle of `first: {second: …}` when a foreign key of the far table proves that its row exists.

    `channel: {members: …}` over `member.channel_id → channel.id` needs no look at `channel`.
    """
    if not isinstance(where, Related):
        return None
    middle = catalog[first.target]
    second = middle.relationships[where.relationship]
    far = catalog[second.target]
    reverse = tuple((remote, local) for local, remote in second.columns)
    proven = any(
        target == first.target and set(pairs) == set(reverse) and key.info.get("trusted") for key, target, pairs in foreign_keys(far.table)
    )
    local_of = {remote: local for local, remote in first.columns}
    # Two columns on one would be two conditions.
    if not proven or len(local_of) != len(first.columns) or local_of.keys() != {local for local, _ in second.columns}:
        return None
    return tuple((local_of[key], remote) for key, remote in second.columns), far, where.where


def _against_null(operator: str, left: sa.ColumnElement[Any], nullable: bool) -> Condition:
    """A rule's literal null. Hasura: `_eq` and (on a nullable column) `_neq` are null-aware, the others are never true."""
    if operator == "_eq":
        return sa.or_(left.is_(None), _UNKNOWN)
    if operator == "_neq":
        return sa.or_(left.is_not(None), _UNKNOWN) if nullable else _UNKNOWN
    return _UNKNOWN
