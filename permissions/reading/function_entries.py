"""Reads one tracked function of the metadata."""

from typing import Literal

from permissions.reading.entries import FunctionEntry
from permissions.reading.nodes import Node
from permissions.reading.table_entries import read_table_name

_KEYS = frozenset({"function", "configuration", "permissions", "comment"})
_CONFIGURATION = frozenset({"custom_name", "custom_root_fields", "session_argument", "exposed_as"})
_ROOT_FIELDS = frozenset({"function", "function_aggregate"})


def read_function(node: Node) -> FunctionEntry:
    """Raises MetadataError when it is malformed; every key has to be known, for a misspelt one could let more in."""
    node.only(_KEYS, "A tracked function")
    name = read_table_name(node.required("function", "A tracked function"))
    configuration = node.get("configuration") or Node({}, node.position)
    configuration.only(_CONFIGURATION, "`configuration` of a function")
    fields = configuration.get("custom_root_fields") or Node({}, node.position)
    fields.only(_ROOT_FIELDS, "`custom_root_fields` of a function")
    root_field, aggregate_field = _text(fields, "function"), _text(fields, "function_aggregate")
    if root_field is not None and root_field == aggregate_field:
        raise fields.error(f'the following custom root field names are duplicated: "{root_field}" and "{aggregate_field}".')
    permissions = node.get("permissions")
    roles = [] if permissions is None else permissions.items("`permissions` of a function")
    return FunctionEntry(
        name=name,
        position=node.position,
        custom_name=_text(configuration, "custom_name"),
        root_field=root_field,
        aggregate_field=aggregate_field,
        session_argument=_text(configuration, "session_argument"),
        exposed_as=_exposed_as(configuration),
        roles=frozenset(role.required("role", "A permission").text("A role") for role in roles),
        comment=_text(node, "comment"),
    )


def _text(node: Node, key: str) -> str | None:
    value = node.get(key)
    return None if value is None else value.text(f"`{key}`")


def _exposed_as(configuration: Node) -> Literal["query", "mutation"] | None:
    node = configuration.get("exposed_as")
    match None if node is None else node.value:
        case None:
            return None
        case "query":
            return "query"
        case "mutation":
            return "mutation"
    raise configuration.error("`exposed_as` is `query` or `mutation`.")
