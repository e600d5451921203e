"""Hasura's comparison operators: their SQL, what stands on their right side, and the column types that have them.

As in Hasura's `Backends/Postgres/Instances/Schema.hs` (`where`) and `Backends/Postgres/DDL/BoolExp.hs` (rules).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from schema.model import Column, PgType

# What stands on the right: a value, a list of values, or true/false.
OperandKind = Literal["value", "list", "flag"]
# What has an operator: every column, those of texts, of arrays and jsonb, of jsonb, of ltree.
Family = Literal["any", "text", "container", "jsonb", "ltree"]

TEXT_TYPES = frozenset({"text", "varchar", "bpchar", "citext", "name"})
# Types without `=` in PostgreSQL: what a rule says of them would never hold.
INCOMPARABLE = frozenset({"json", "xml", "point", "polygon"})
_TEXT = PgType("text")
# What a column may be cast to before it is compared (`_cast`). PostGIS is out.
CASTS = {PgType("jsonb"): _TEXT}


@dataclass(frozen=True, slots=True)
class Operator:
    """`right` is the type on the right side where that is not the column's, `given` the one that a caller writes where that differs."""

    name: str
    sql: str
    operand: OperandKind
    family: Family = "any"
    right: str | None = None
    given: str | None = None
    comment: str | None = None

    def takes(self, column: PgType) -> bool:
        """Whether a column of this type can stand on the left."""
        match self.family:
            case "any":
                return True
            case "container":
                return column.is_array or column.name == "jsonb"
            case "text":
                return not column.is_array and column.name in TEXT_TYPES
        return not column.is_array and column.name == self.family

    def description(self, column: PgType) -> str | None:
        """What GraphQL says of it."""
        return self.comment if column.is_array else _OF_JSONB.get(self.name, self.comment)

    def is_leakproof(self, column: Column) -> bool:
        """Whether PostgreSQL calls its function leakproof for this column; LIKE and SIMILAR TO never are."""
        comparison = self.sql.split()[0]
        right = column.type.stored if self.right is None else self._right(column.type.stored)
        return self.operand == "flag" or (comparison, right) in column.leakproof.operators

    def given_type(self, column: PgType) -> PgType:
        """The type of a value, or of one in the list, as the caller writes it."""
        if self.operand == "flag":
            return PgType("bool")
        if self.family == "text":
            return column
        return column if self.right is None else PgType(self.given or self.right, schema=column.schema)

    def operand_type(self, column: PgType) -> PgType:
        """The type that the right side is cast to."""
        if self.operand == "flag":
            return PgType("bool")
        right = self._right(column)
        if self.operand == "value":
            return right
        # PostgreSQL has no list of arrays: each is told by its text.
        return replace(_TEXT if right.is_array else right, is_array=True)

    def _right(self, column: PgType) -> PgType:
        # A pattern for citext must be citext too, or the comparison would mind the case.
        if self.right is None or (self.family == "text" and column.name == "citext"):
            return column
        # The types of an extension lie together.
        return _TEXT if self.right == "text" else PgType(self.right, schema=column.schema)

    @property
    def quantifier(self) -> str | None:
        """ANY or ALL where its SQL compares with each value of the list, and not with the list."""
        return self.sql.split()[-1] if self.operand == "list" and self.family == "any" else None


_COMPARISON = {"_eq": "=", "_neq": "<>", "_gt": ">", "_lt": "<", "_gte": ">=", "_lte": "<="}
_PATTERNS = {
    "_like": ("LIKE", "does the column match the given pattern"),
    "_nlike": ("NOT LIKE", "does the column NOT match the given pattern"),
    "_ilike": ("ILIKE", "does the column match the given case-insensitive pattern"),
    "_nilike": ("NOT ILIKE", "does the column NOT match the given case-insensitive pattern"),
    "_similar": ("SIMILAR TO", "does the column match the given SQL regular expression"),
    "_nsimilar": ("NOT SIMILAR TO", "does the column NOT match the given SQL regular expression"),
    "_regex": ("~", "does the column match the given POSIX regular expression, case sensitive"),
    "_nregex": ("!~", "does the column NOT match the given POSIX regular expression, case sensitive"),
    "_iregex": ("~*", "does the column match the given POSIX regular expression, case insensitive"),
    "_niregex": ("!~*", "does the column NOT match the given POSIX regular expression, case insensitive"),
}


_OF_ARRAYS = ("does the array contain the given value", "is the array contained in the given array value")
_OF_JSONB = {
    "_contains": "does the column contain the given json value at the top level",
    "_contained_in": "is the column contained in the given json value",
}
_PATHS = (
    ("_jsonb_path_exists", "@?", "does the jsonpath return any item for the specified JSON value"),
    ("_jsonb_path_match", "@@", "does the jsonpath predicate check return true for the specified JSON value"),
)


def _operators() -> Iterator[Operator]:
    for name, sql in _COMPARISON.items():
        yield Operator(name, sql, "value")
    yield Operator("_in", "= ANY", "list")
    yield Operator("_nin", "<> ALL", "list")
    yield Operator("_is_null", "IS NULL", "flag")
    for name, (sql, comment) in _PATTERNS.items():
        yield Operator(name, sql, "value", "text", "text", comment=comment)
    for (name, sql), comment in zip((("_contains", "@>"), ("_contained_in", "<@")), _OF_ARRAYS, strict=True):
        yield Operator(name, sql, "value", "container", comment=comment)
    yield Operator("_has_key", "?", "value", "jsonb", "text", comment="does the string exist as a top-level key in the column")
    for name, sql, which in (("_has_keys_any", "?|", "any"), ("_has_keys_all", "?&", "all")):
        yield Operator(name, sql, "list", "jsonb", "text", comment=f"do {which} of these strings exist as top-level keys in the column")
    for name, sql, comment in _PATHS:
        yield Operator(name, sql, "value", "jsonb", "jsonpath", "text", comment=comment)
    yield Operator("_ancestor", "@>", "value", "ltree", "ltree", comment="is the left argument an ancestor of right (or equal)?")
    yield Operator("_ancestor_any", "@>", "list", "ltree", "ltree", comment="does array contain an ancestor of `ltree`?")
    yield Operator("_descendant", "<@", "value", "ltree", "ltree", comment="is the left argument a descendant of right (or equal)?")
    yield Operator("_descendant_any", "<@", "list", "ltree", "ltree", comment="does array contain a descendant of `ltree`?")
    yield Operator("_matches", "~", "value", "ltree", "lquery", comment="does `ltree` match `lquery`?")
    yield Operator("_matches_any", "?", "list", "ltree", "lquery", "text", comment="does `ltree` match any `lquery` in array?")
    yield Operator("_matches_fulltext", "@", "value", "ltree", "ltxtquery", comment="does `ltree` match `ltxtquery`?")


OPERATORS = {operator.name: operator for operator in _operators()}

# Against another column; only in permission rules.
COLUMN_OPERATORS = {f"_c{name[1:]}": sql for name, sql in _COMPARISON.items()}

_ALIASES = {"_ne": "_neq", "_cne": "_cneq"}


def canonical(name: str) -> str:
    """The operator behind Hasura's other spellings in rules: `$eq`, `_ne`, `_cne`."""
    name = f"_{name[1:]}" if name.startswith("$") else name
    return _ALIASES.get(name, name)
