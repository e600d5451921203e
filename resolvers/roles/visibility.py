"""What of the whole schema one role sees: each field, argument, input key and enum value by its meaning and the role's rules."""

from collections.abc import Mapping
from typing import Any

from permissions.expressions import FALSE
from permissions.rules import DeleteRule, InsertRule, RoleRules, SelectRule, UpdateRule
from schema.model import Catalog, TableName, WriteAction
from schema.naming import FOR_BACKENDS, NAMESPACES
from schema.table_types.meaning import (
    AggregateFunction,
    Meaning,
    NestedInsert,
    OfColumn,
    OfComputedField,
    OfRelationship,
    OfRelationshipAggregate,
    Part,
    TableRoot,
)


class Visibility:
    """`backend_only`: the caller may use backend-only permissions (a trusted server said so in this request)."""

    def __init__(self, catalog: Catalog, rules: RoleRules, *, backend_only: bool) -> None:
        self._catalog, self._rules, self._backend_only = catalog, rules, backend_only

    def sees(self, meaning: Meaning | None) -> bool:
        """Whether the role sees what carries this meaning; what means nothing in particular is seen by all who reach it."""
        match meaning:
            case TableRoot():
                return self._sees_root(meaning)
            case OfColumn():
                return self.sees_column(meaning)
            case OfComputedField(table, name):
                return self._sees_computed(table, name)
            case OfRelationship(table, relationship):
                return self._target(table, relationship) in self._rules.select
            case NestedInsert(table, relationship):
                return self._writes("insert", self._target(table, relationship)) is not None
            case OfRelationshipAggregate(table, relationship):
                return self._select(self._target(table, relationship)).allow_aggregations
            case Part("returning", table):
                return table in self._rules.select
            case AggregateFunction(_, table) | Part("aggregate" | "nodes" | "count", table):
                return self._select(table).allow_aggregations
        return True

    @property
    def other_names(self) -> Mapping[str, str]:
        """Types that have another name for this caller. Hasura: the namespace of mutations, for who may use backend-only permissions."""
        naming = self._catalog.naming
        if not self._backend_only or naming.namespace is None:
            return {}
        return {naming.namespace_type(NAMESPACES["mutation"]): naming.namespace_type(FOR_BACKENDS)}

    @property
    def redacts_anything(self) -> bool:
        """Whether any column may be null for the role though it is not in the database."""
        return any(rule.redactions for rule in self._rules.select.values())

    def redacts(self, meaning: Meaning | None) -> bool:
        """Whether a selected column may be null though it is not in the database."""
        match meaning:
            case OfColumn(table, column, "select"):
                return column in self._select(table).redactions
        return False

    def sees_column(self, meaning: OfColumn) -> bool:
        """Hasura: preset columns are not in the inputs."""
        match meaning.use:
            case "select":
                return meaning.column in self._select(meaning.table).columns
            case "insert":
                insert = self._writes("insert", meaning.table)
                return insert is not None and meaning.column in insert.columns and meaning.column not in insert.presets
            case "update":
                update = self._writes("update", meaning.table)
                return update is not None and meaning.column in update.columns and meaning.column not in update.presets

    def selects(self, table: TableName) -> bool:
        """Whether the role may read rows of the table, though maybe no column."""
        return table in self._rules.select

    def _select(self, table: TableName) -> SelectRule:
        return self._rules.select.get(table, _NOTHING)

    def _sees_computed(self, table: TableName, name: str) -> bool:
        """Hasura: rows are seen by whoever may select from their table, whatever `computed_fields` lists."""
        field = self._catalog[table].computed_fields[name]
        return field.function.table in self._rules.select if field.type is None else name in self._select(table).computed_fields

    def _target(self, table: TableName, name: str) -> TableName:
        """Where a relationship leads, or a computed field that returns rows."""
        return self._catalog[table].leads_to(name)

    def _sees_root(self, meaning: TableRoot) -> bool:
        table, kind = meaning.table, meaning.kind
        if meaning.function is not None:
            return self._sees_function(meaning.function, kind, table)
        if meaning.root == "mutation":
            return self._sees_write(kind, table)
        rule = self._rules.select.get(table)
        if rule is None:
            return False
        allowed = rule.query_root_fields if meaning.root == "query" else rule.subscription_root_fields
        if allowed is not None and kind not in allowed:
            return False
        if kind == "select_aggregate":
            return rule.allow_aggregations
        return kind != "select_by_pk" or self._selects_key(table)

    def _sees_function(self, function: TableName, kind: str, table: TableName) -> bool:
        """`query_root_fields` is about the table's own."""
        if function not in self._rules.functions or table not in self._rules.select:
            return False
        return kind != "select_aggregate" or self._select(table).allow_aggregations

    def _sees_write(self, kind: str, table: TableName) -> bool:
        actions: dict[str, WriteAction] = {"insert": "insert", "update": "update", "delete": "delete"}
        if self._writes(actions[kind.split("_")[0]], table) is None:
            return False
        if kind == "insert_one":
            return table in self._rules.select
        return not kind.endswith("_by_pk") or self._selects_key(table)

    def _writes(self, action: WriteAction, table: TableName) -> Any:
        """The role's rule for a write, unless it is for trusted servers and the caller is none: whatever leads there is absent then."""
        granted: dict[WriteAction, Mapping[TableName, InsertRule | UpdateRule | DeleteRule]]
        granted = {"insert": self._rules.insert, "update": self._rules.update, "delete": self._rules.delete}
        rule = granted[action].get(table)
        return None if rule is None or (rule.backend_only and not self._backend_only) else rule

    def _selects_key(self, table: TableName) -> bool:
        """Hasura: fields by primary key need select on all of its columns."""
        return table in self._rules.select and set(self._catalog[table].primary_key) <= self._select(table).columns


_NOTHING = SelectRule(columns=frozenset(), filter=FALSE)
