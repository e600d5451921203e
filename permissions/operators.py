"""Hasura's comparison operators: their SQL, what stands on their right side, and the column types they take."""

from dataclasses import dataclass
from typing import Literal

from schema.model import Column, PgType

# What stands on the right: a value of the column's type, a list of them, a text, a list of texts, or true/false.
OperandKind = Literal["value", "list", "text", "texts", "flag"]

TEXT_TYPES = frozenset({"text", "varchar", "bpchar", "citext", "name"})
# Types without `=` in PostgreSQL.
_INCOMPARABLE = frozenset({"json", "xml", "point", "polygon"})
_TEXT = PgType("text")


@dataclass(frozen=True, slots=True)
class Operator:
    name: str
    sql: str
    operand: OperandKind

    def takes(self, column: PgType) -> bool:
        """Whether a column of this type can stand on the left."""
        if self.operand == "flag":
            return True
        if self.name in ("_contains", "_contained_in"):
            return column.is_array or column.name == "jsonb"
        if column.is_array:
            return self.operand == "value"
        if self.name.startswith("_has_key"):
            return column.name == "jsonb"
        return column.name in TEXT_TYPES if self.operand == "text" else column.name not in _INCOMPARABLE

    def is_leakproof(self, column: Column) -> bool:
        """Whether PostgreSQL calls its function leakproof for this column; LIKE and SIMILAR TO never are."""
        comparison = self.sql.split()[0]
        right = self.operand_type(column.type.stored) if self.operand == "text" else column.type.stored
        return self.operand == "flag" or (comparison, right) in column.leakproof.operators

    def operand_type(self, column: PgType) -> PgType:
        """The type that the right side is cast to."""
        match self.operand:
            case "value":
                return column
            case "list":
                # PostgreSQL has no list of arrays: each is told by its text.
                if column.is_array:
                    return PgType("text", is_array=True)
                return PgType(column.name, is_array=True, is_enum=column.is_enum, schema=column.schema, labels=column.labels)
            case "text":
                # A pattern for citext must be citext too, or the comparison would mind the case.
                return column if column.name == "citext" else _TEXT
            case "texts":
                return PgType("text", is_array=True)
            case "flag":
                return PgType("bool")


_COMPARISON = {"_eq": "=", "_neq": "<>", "_gt": ">", "_lt": "<", "_gte": ">=", "_lte": "<="}
_PATTERN = {
    "_like": "LIKE",
    "_nlike": "NOT LIKE",
    "_ilike": "ILIKE",
    "_nilike": "NOT ILIKE",
    "_similar": "SIMILAR TO",
    "_nsimilar": "NOT SIMILAR TO",
    "_regex": "~",
    "_nregex": "!~",
    "_iregex": "~*",
    "_niregex": "!~*",
    "_has_key": "?",
}
_FAMILIES: tuple[tuple[OperandKind, dict[str, str]], ...] = (
    ("value", {**_COMPARISON, "_contains": "@>", "_contained_in": "<@"}),
    ("list", {"_in": "= ANY", "_nin": "<> ALL"}),
    ("text", _PATTERN),
    ("texts", {"_has_keys_any": "?|", "_has_keys_all": "?&"}),
    ("flag", {"_is_null": "IS NULL"}),
)
OPERATORS = {name: Operator(name, sql, operand) for operand, family in _FAMILIES for name, sql in family.items()}

# Against another column; only in permission rules.
COLUMN_OPERATORS = {f"_c{name[1:]}": sql for name, sql in _COMPARISON.items()}

_ALIASES = {"_ne": "_neq", "_cne": "_cneq"}


def canonical(name: str) -> str:
    """The operator behind Hasura's other spellings in rules: `$eq`, `_ne`, `_cne`."""
    name = f"_{name[1:]}" if name.startswith("$") else name
    return _ALIASES.get(name, name)
