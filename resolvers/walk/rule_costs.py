"""What rows of each table cost one role: its rules are compiled and planned each time the table is read."""

from dataclasses import dataclass, field

from permissions.expressions import And, CompareComputed, Exists, Expression, Not, Or, Related, Returned, Rule
from permissions.rules import RoleRules
from schema.model import Catalog, TableName
from schema.table_types.meaning import TableRoot

# Tenths of a millisecond, as everything in `documents/limits.py`.
_ROWS = 5
_COLUMNS = 10
_JOIN = 4
_COMPARISON = 1
# A function call: PostgreSQL plans the body of one in SQL as a part of the statement.
CALL = 5


@dataclass(slots=True)
class RuleCosts:
    """Computed when first asked for, once a view."""

    catalog: Catalog
    rules: RoleRules
    _reads: dict[TableName, int] = field(default_factory=dict)

    def read(self, table: TableName) -> int:
        """Rows of a table behind the role's select rule."""
        known = self._reads.get(table)
        if known is None:
            known = self._reads[table] = self._table(table) + self._expression(self.rules.select[table].filter, table)
        return known

    def redaction(self, table: TableName, column: str) -> int:
        """The expression that decides whether a cell is shown; nothing where all are."""
        shown = self.rules.select[table].redactions.get(column) if table in self.rules.select else None
        return 0 if shown is None else self._expression(shown, table)

    def shown(self, table: TableName, shown: Expression) -> int:
        """An expression that decides what is shown of a row."""
        return self._expression(shown, table)

    def root(self, root: TableRoot) -> int:
        """A root field over a table, with the rule that it stands under."""
        table = root.table
        if root.function is not None:
            return CALL + self.read(table)
        if root.root != "mutation":
            return self.read(table)
        if root.kind.startswith("insert"):
            return self.insert(table)
        if root.kind.startswith("delete"):
            return self._table(table) + self._expression(self.rules.delete[table].filter, table)
        return self.update(table)

    def insert(self, table: TableName) -> int:
        """A statement that inserts, with the check."""
        return self._table(table) + self._expression(self.rules.insert[table].check, table)

    def update(self, table: TableName) -> int:
        """A statement that updates, or an insert that may: filter and check."""
        update = self.rules.update[table]
        check = 0 if update.check is None else self._expression(update.check, table)
        return self._table(table) + self._expression(update.filter, table) + check

    def _table(self, table: TableName) -> int:
        return _ROWS + len(self.catalog[table].columns) // _COLUMNS

    def _expression(self, expression: Expression, table: TableName) -> int:
        match expression:
            case And(terms) | Or(terms):
                return sum(self._expression(term, table) for term in terms)
            case Not(term) | Rule(term):
                return self._expression(term, table)
            case Related(relationship, where):
                return _JOIN + self._expression(where, self.catalog[table].relationships[relationship].target)
            case Returned(field, where):
                return CALL + _JOIN + self._expression(where, self.catalog[table].computed_fields[field].function.table)
            case CompareComputed():
                return CALL + _COMPARISON
            case Exists(other, where):
                return _JOIN + self._expression(where, other)
        return _COMPARISON
