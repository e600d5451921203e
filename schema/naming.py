"""What everything generated is called in GraphQL: one object decides, from a source's `customization`.

Hasura: `Data.Text.Casing` (words, and which of them are a person's own) and `SourceCustomization` (prefixes, suffixes, namespace).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import reduce

# What stands before a table's name in a root field of each kind, and what after it.
_ROOT_FIELDS = {
    "select": ("", ""),
    "select_by_pk": ("", "by_pk"),
    "select_aggregate": ("", "aggregate"),
    "select_stream": ("", "stream"),
    "insert": ("insert", ""),
    "insert_one": ("insert", "one"),
    "update": ("update", ""),
    "update_by_pk": ("update", "by_pk"),
    "update_many": ("update", "many"),
    "delete": ("delete", ""),
    "delete_by_pk": ("delete", "by_pk"),
}

# What follows the namespace in the names of the types behind it. Trusted servers have a mutation of their own, by Hasura's words.
FOR_BACKENDS = "mutation_backend"
NAMESPACES = {"query": "query", "mutation": "mutation_frontend", "subscription": "subscription"}


class Convention(StrEnum):
    HASURA = "hasura-default"
    GRAPHQL = "graphql-default"


@dataclass(frozen=True, slots=True)
class BaseName:
    """What the names of a table or a function are made of: its words. One that a person gave (`custom`) is kept as it is written."""

    words: tuple[str, ...]
    custom: bool = False

    def __str__(self) -> str:
        return "_".join(self.words)


@dataclass(frozen=True, slots=True)
class Naming:
    """The names of one source. Nothing that GraphQL sees is put together anywhere else.

    `type_prefix` and `type_suffix` go around the types of tables, `root_prefix` and `root_suffix` around root fields, which lie below
    the field `namespace` where there is one. Scalars, their comparisons and `order_by` are shared by all sources and have neither.
    """

    convention: Convention = Convention.HASURA
    root_prefix: str = ""
    root_suffix: str = ""
    namespace: str | None = None
    type_prefix: str = ""
    type_suffix: str = ""

    @property
    def _camel(self) -> bool:
        return self.convention is Convention.GRAPHQL

    def base(self, schema: str, name: str, custom: str | None = None) -> BaseName:
        """Of a table or a function: its name in schema public, `<schema>_<name>` elsewhere, unless it has a name of its own."""
        if custom is not None:
            return BaseName((custom,), custom=True)
        return BaseName((*(() if schema == "public" else _words(schema)), *_words(name)))

    def type_name(self, base: BaseName, suffix: str = "") -> str:
        """The type `<base>_<suffix>`: a row without suffix, `bool_exp`, `stddev_pop_fields`, `insert_input`, `args`, …"""
        return self._customized_type(self._joined(BaseName((*base.words, *_suffix(suffix)), base.custom), _upper_first))

    def source_type(self, name: str) -> str:
        """A type that the tables of the source share: `cursor_ordering`."""
        return self._customized_type(self.shared_type(name))

    def shared_type(self, name: str) -> str:
        """A type that all sources share: `Int_comparison_exp`."""
        return self._joined(BaseName(_words(name)), _upper_first)

    def comparison_of_enum(self, enum: str) -> str:
        """What compares the values of an enum table's type. Hasura: made of that type's whole name, prefix and suffix and all."""
        return self.shared_type(f"{enum}_comparison_exp")

    def predicate(self, base: BaseName) -> str:
        """What `where` asks of related rows: `<base>_aggregate_bool_exp`. Hasura puts no prefix or suffix around this type and the next."""
        return self._joined(_followed(base, "aggregate", "bool", "exp"), _upper_first)

    def predicate_function(self, base: BaseName, function: str) -> str:
        """What it asks of `count`, `bool_and` or `bool_or`. Hasura writes this type as a field, and the function as it is."""
        return self._joined(_followed(base, "aggregate", "bool", "exp", function), _lower_first)

    def predicate_columns(self, base: BaseName, function: str) -> str:
        """The columns that `bool_and` or `bool_or` take."""
        words = ("aggregate", "bool", "exp", function, "arguments", "columns")
        return self._customized_type(self._joined(_followed(base, "select", "column", *base.words, *words), _upper_first))

    def described_columns(self, base: BaseName, function: str) -> str:
        """The same in the description of the type."""
        return self._joined(_followed(base, "aggregate", "bool", "exp", function, "arguments", "columns"), _lower_first)

    def function_args(self, base: BaseName) -> str:
        """What is given to a function: `<base>_args`. Hasura writes this type as a field, by the words of whatever name it has."""
        return self._customized_type(self.field(f"{base}_args"))

    def computed_field_args(self, field: str, table: BaseName) -> str:
        """What is given to a computed field: `<field>_<table>_args`, in every convention."""
        return self._customized_type("_".join((field, *table.words, "args")))

    def namespace_type(self, kind: str) -> str:
        """The type behind the namespace: `<namespace>_query`, `<namespace>_mutation_frontend`, `<namespace>_subscription`."""
        return self._customized_type(f"{self.namespace}_{kind}")

    def root_field(self, base: BaseName, prefix: str = "", suffix: str = "") -> str:
        """The root field `<prefix>_<base>_<suffix>`: `insert`, `one`."""
        if prefix:
            return self._customized_root(self._joined(BaseName((prefix, *base.words, *_suffix(suffix))), _lower_first))
        return self._customized_root(self._joined(BaseName((*base.words, *_suffix(suffix)), base.custom), _lower_first))

    def own_root_field(self, name: str) -> str:
        """A root field that the metadata names: only prefix and suffix are added."""
        return self._customized_root(name)

    def function_aggregate(self, base: BaseName) -> str:
        """The root field over the aggregate of a function's rows. One that has a name of its own is written as that, by no convention."""
        return self._customized_root(f"{base}_aggregate") if base.custom else self.root_field(base, suffix="aggregate")

    def root_fields(self, base: BaseName, own: Mapping[str, str]) -> dict[str, str]:
        """A table's root fields by kind; `own` are those that its `custom_root_fields` name."""
        return {
            kind: self.own_root_field(own[kind]) if kind in own else self.root_field(base, prefix, suffix)
            for kind, (prefix, suffix) in _ROOT_FIELDS.items()
        }

    def field(self, name: str) -> str:
        """A field, argument, operator or key of ours: `affected_rows`, `order_by`, `_is_null`."""
        return self._joined(BaseName(_words(name)), _lower_first)

    def column(self, name: str, custom: str | None = None) -> str:
        """A column; one of the metadata's own `column_config` is kept."""
        return self.field(name) if custom is None else custom

    def aggregate_of(self, relationship: str) -> str:
        """The field over an array relationship's aggregate. Relationships keep their names, this is made of theirs."""
        return self.field(f"{relationship}_aggregate")

    def aggregate_order(self, relationship: str) -> str:
        """What it is called in `order_by`."""
        return self._joined(BaseName((relationship, "aggregate")), _lower_first)

    def aggregate_predicate(self, relationship: str) -> str:
        """What it is called in `where`."""
        return self._joined(BaseName((relationship, "aggregate"), custom=True), _lower_first)

    def enum_value(self, value: str) -> str:
        """A value of `order_by` or of an enum table."""
        return value.upper() if self._camel else value

    def _joined(self, name: BaseName, first: Callable[[str], str]) -> str:
        if not self._camel:
            return "_".join(name.words)
        head, *rest = name.words
        return (head if name.custom else first(head)) + "".join(_upper_first(word) for word in rest)

    def _customized_type(self, name: str) -> str:
        return self._around(self.type_prefix, name, self.type_suffix)

    def _customized_root(self, name: str) -> str:
        return self._around(self.root_prefix, name, self.root_suffix)

    def _around(self, prefix: str, name: str, suffix: str) -> str:
        """Hasura: in graphql-default what follows something else begins with a capital."""
        parts = [part for part in (prefix, name, suffix) if part]
        return reduce(lambda before, part: before + (_upper_first(part) if self._camel else part), parts)


def _words(name: str) -> tuple[str, ...]:
    """Hasura: an underscore at the beginning belongs to the first word."""
    words = name.split("_")
    return (f"_{words[1]}", *words[2:]) if len(words) > 1 and not words[0] else tuple(words)


def _followed(base: BaseName, *words: str) -> BaseName:
    return BaseName((*base.words, *words), base.custom)


def _suffix(text: str) -> tuple[str, ...]:
    return tuple(text.split("_")) if text else ()


def _upper_first(word: str) -> str:
    return word[:1].upper() + word[1:]


def _lower_first(word: str) -> str:
    return word[:1].lower() + word[1:]
