"""Reads one table of the metadata: names, relationships, computed fields and permissions."""

from collections.abc import Callable
from dataclasses import fields
from typing import Literal, TypeVar

from permissions.reading.entries import (
    ColumnConfig,
    ComputedFieldEntry,
    Configuration,
    ForeignKeyOn,
    ManualMapping,
    PermissionEntry,
    RelationshipEntry,
    ReverseForeignKeyOn,
    TableEntry,
)
from permissions.reading.nodes import MetadataError, Node, Problem, each
from permissions.reading.permission_entries import ACTIONS, permission_reader
from schema.model import RootFields, TableName

T = TypeVar("T")

# What a table may hold beside what is read here; true: it changes the API, so leaving it out has to be told.
_OTHER_KEYS = {
    "remote_relationships": True,
    "event_triggers": True,
    "apollo_federation_config": True,
}
_INSERTION_ORDERS = ("before_parent", "after_parent")
_ROOT_FIELDS = tuple(field.name for field in fields(RootFields))
_READ_KEYS = frozenset({"table", "configuration", "object_relationships", "array_relationships", "computed_fields", "is_enum"})
_TABLE_KEYS = _READ_KEYS | _OTHER_KEYS.keys() | {f"{action}_permissions" for action in ACTIONS}


def read_table(node: Node, problems: list[Problem]) -> TableEntry:
    """A table's entry; parts of it that can't be read are left out and noted. Raises MetadataError when it names no table."""
    name = read_table_name(node.required("table", "A tracked table"))
    for key, value in node.mapping("A tracked table").items():
        if key not in _TABLE_KEYS:
            problems.append(Problem(value.position, f"A table has no key `{key}`; it is ignored."))
        elif _OTHER_KEYS.get(key) and value.value:
            problems.append(Problem(value.position, f"`{key}` of {name} is not supported yet; it is ignored."))
    return TableEntry(
        name=name,
        position=node.position,
        configuration=_read_or(Configuration(), node.get("configuration"), _read_configuration, problems),
        relationships=_read_relationships(node, problems),
        computed_fields=each(node.get("computed_fields"), "`computed_fields`", _read_computed_field, problems),
        permissions=_read_permissions(node, problems),
        is_enum=_read_or(False, node.get("is_enum"), lambda flag: flag.flag("`is_enum`"), problems),
    )


def read_table_name(node: Node) -> TableName:
    """`{schema, name}`, or a bare name in schema public. Functions are named the same way."""
    if isinstance(node.value, str):
        return TableName("public", node.value)
    schema = node.get("schema")
    return TableName(schema.text("A schema") if schema else "public", node.required("name", "A table").text("The name of a table"))


def _read_or(default: T, node: Node | None, read: Callable[[Node], T], problems: list[Problem]) -> T:
    if node is None:
        return default
    try:
        return read(node)
    except MetadataError as error:
        problems.extend(error.problems)
        return default


def _optional_text(node: Node, key: str) -> str | None:
    value = node.get(key)
    return None if value is None else value.text(f"`{key}`")


def _read_configuration(node: Node) -> Configuration:
    columns: dict[str, ColumnConfig] = {}
    if names := node.get("custom_column_names"):
        columns |= {
            key: ColumnConfig(name.text("A column's name"), None, name.position)
            for key, name in names.mapping("`custom_column_names`").items()
        }
    if config := node.get("column_config"):
        # Hasura writes both forms; this one wins.
        columns |= {
            key: ColumnConfig(_optional_text(entry, "custom_name"), _optional_text(entry, "comment"), entry.position)
            for key, entry in config.mapping("`column_config`").items()
        }
    root_fields, comments = _read_root_fields(node)
    return Configuration(_optional_text(node, "custom_name"), _optional_text(node, "comment"), columns, root_fields, comments)


def _read_root_fields(node: Node) -> tuple[dict[str, str], dict[str, str]]:
    """Names and comments by kind: each is a name, or `{name, comment}`."""
    names: dict[str, str] = {}
    comments: dict[str, str] = {}
    entries = node.get("custom_root_fields")
    for key, value in (entries.mapping("`custom_root_fields`") if entries else {}).items():
        if key not in _ROOT_FIELDS:
            raise value.error(f"`custom_root_fields` takes {', '.join(_ROOT_FIELDS)}, not `{key}`.")
        if isinstance(value.value, dict):
            value.only(frozenset({"name", "comment"}), f"The root field `{key}`")
        name = value.get("name") if isinstance(value.value, dict) else value
        comment = value.get("comment") if isinstance(value.value, dict) else None
        if name is not None and name.value is not None:
            names[key] = name.text("The name of a root field")
        if comment is not None and comment.value is not None:
            comments[key] = comment.text("The comment of a root field")
    return names, comments


def _read_relationships(node: Node, problems: list[Problem]) -> tuple[RelationshipEntry, ...]:
    objects = each(node.get("object_relationships"), "`object_relationships`", lambda entry: _read_relationship(entry, "object"), problems)
    arrays = each(node.get("array_relationships"), "`array_relationships`", lambda entry: _read_relationship(entry, "array"), problems)
    return (*objects, *arrays)


def _read_relationship(node: Node, kind: Literal["object", "array"]) -> RelationshipEntry:
    name = node.required("name", "A relationship").text("The name of a relationship")
    using = node.required("using", f"The relationship {name}")
    if manual := using.get("manual_configuration"):
        mapping = manual.required("column_mapping", f"The relationship {name}").mapping("`column_mapping`")
        columns = tuple((local, remote.text("A column")) for local, remote in mapping.items())
        target = read_table_name(manual.required("remote_table", f"The relationship {name}"))
        mapped = ManualMapping(target, columns, _is_after_parent(manual.get("insertion_order")))
        return RelationshipEntry(name, kind, mapped, _optional_text(node, "comment"), node.position)
    key = using.required("foreign_key_constraint_on", f"The relationship {name}")
    return RelationshipEntry(name, kind, _read_foreign_key(key), _optional_text(node, "comment"), node.position)


def _is_after_parent(order: Node | None) -> bool:
    if order is not None and order.value not in _INSERTION_ORDERS:
        raise order.error(f"`insertion_order` is {' or '.join(_INSERTION_ORDERS)}, not {order.value}.")
    return order is not None and order.value == "after_parent"


def _read_foreign_key(node: Node) -> ForeignKeyOn | ReverseForeignKeyOn:
    if not isinstance(node.value, dict):
        return ForeignKeyOn(_read_columns(node))
    columns = node.get("columns") or node.required("column", "`foreign_key_constraint_on`")
    return ReverseForeignKeyOn(read_table_name(node.required("table", "`foreign_key_constraint_on`")), _read_columns(columns))


def _read_columns(node: Node) -> tuple[str, ...]:
    entries = node.items("The columns of a foreign key") if isinstance(node.value, list) else [node]
    return tuple(entry.text("A column") for entry in entries)


def _read_computed_field(node: Node) -> ComputedFieldEntry:
    name = node.required("name", "A computed field").text("The name of a computed field")
    definition = node.required("definition", f"The computed field {name}")
    return ComputedFieldEntry(
        name=name,
        function=read_table_name(definition.required("function", f"The computed field {name}")),
        table_argument=_optional_text(definition, "table_argument"),
        session_argument=_optional_text(definition, "session_argument"),
        comment=_optional_text(node, "comment"),
        position=node.position,
    )


def _read_permissions(node: Node, problems: list[Problem]) -> tuple[PermissionEntry, ...]:
    """One permission for each role and action: of two none is taken, for nobody can say which was meant."""
    result: list[PermissionEntry] = []
    for action in ACTIONS:
        entries = each(node.get(f"{action}_permissions"), f"`{action}_permissions`", permission_reader(action), problems)
        roles = [entry.role for entry in entries]
        for index, entry in enumerate(entries):
            if entry.role in roles[:index]:
                problems.append(Problem(entry.position, f"The role {entry.role} has two {action} permissions here; keep one."))
            elif roles.count(entry.role) == 1:
                result.append(entry)
    return tuple(result)
