"""Reads one permission of a table. Every key has to be known: a misspelt one must never widen a permission."""

from collections.abc import Callable

from permissions.reading.entries import Action, PermissionEntry
from permissions.reading.nodes import Node

ACTIONS: tuple[Action, ...] = ("select", "insert", "update", "delete")
_SELECT_ROOT_FIELDS = frozenset({"select", "select_by_pk", "select_aggregate"})
_KEYS: dict[Action, frozenset[str]] = {
    "select": frozenset(
        {"columns", "filter", "limit", "allow_aggregations", "computed_fields", "query_root_fields", "subscription_root_fields"}
    ),
    # Hasura takes `computed_fields` here too, and never looks at them: nobody can write one.
    "insert": frozenset({"check", "set", "columns", "computed_fields", "backend_only", "validate_input"}),
    "update": frozenset({"columns", "computed_fields", "filter", "check", "set", "backend_only", "validate_input"}),
    "delete": frozenset({"filter", "backend_only", "validate_input"}),
}


def permission_reader(action: Action) -> Callable[[Node], PermissionEntry]:
    """Reads entries of `<action>_permissions`; each raises MetadataError when it is malformed."""
    readers = {"select": _read_select, "insert": _read_insert, "update": _read_update, "delete": _read_delete}
    read = readers[action]

    def read_entry(node: Node) -> PermissionEntry:
        role = node.required("role", "A permission").text("A role")
        node.only(frozenset({"role", "permission", "comment"}), "A permission")
        # For those who read the metadata; in Hasura too the API tells it to nobody.
        node.get("comment")
        what = f"The {action} permission of {role}"
        if role == "admin":
            raise node.error("The role admin has every permission already; remove this one.")
        body = node.required("permission", what)
        body.only(_KEYS[action], what)
        if body.get("validate_input"):
            raise body.error(f"{what} asks for `validate_input`, which is not supported; move the validation into a check or a trigger.")
        return read(role, node, body, what)

    return read_entry


def _read_select(role: str, node: Node, body: Node, what: str) -> PermissionEntry:
    fields = body.get("computed_fields")
    return PermissionEntry(
        role,
        "select",
        node.position,
        columns=_columns(body.required("columns", what)),
        filter=body.required("filter", what),
        limit=_limit(body),
        allow_aggregations=_flag(body, "allow_aggregations"),
        computed_fields=tuple(fields.items("`computed_fields`")) if fields else (),
        query_root_fields=_root_fields(body, "query_root_fields", _SELECT_ROOT_FIELDS),
        subscription_root_fields=_root_fields(body, "subscription_root_fields", _SELECT_ROOT_FIELDS | {"select_stream"}),
    )


def _read_insert(role: str, node: Node, body: Node, what: str) -> PermissionEntry:
    columns = body.get("columns")
    return PermissionEntry(
        role,
        "insert",
        node.position,
        columns=None if columns is None else _columns(columns),
        check=body.required("check", what),
        presets=_presets(body),
        backend_only=_flag(body, "backend_only"),
    )


def _read_update(role: str, node: Node, body: Node, what: str) -> PermissionEntry:
    return PermissionEntry(
        role,
        "update",
        node.position,
        columns=_columns(body.required("columns", what)),
        filter=body.required("filter", what),
        check=body.get("check"),
        presets=_presets(body),
        backend_only=_flag(body, "backend_only"),
    )


def _read_delete(role: str, node: Node, body: Node, what: str) -> PermissionEntry:
    return PermissionEntry(role, "delete", node.position, filter=body.required("filter", what), backend_only=_flag(body, "backend_only"))


def _columns(node: Node) -> tuple[Node, ...] | None:
    return None if node.value == "*" else tuple(node.items("`columns` (a list of names, or '*')"))


def _presets(body: Node) -> dict[str, Node]:
    presets = body.get("set")
    return {} if presets is None else presets.mapping("`set`")


def _flag(body: Node, key: str) -> bool:
    node = body.get(key)
    return False if node is None else node.flag(f"`{key}`")


def _limit(body: Node) -> int | None:
    node = body.get("limit")
    if node is None:
        return None
    if isinstance(node.value, bool) or not isinstance(node.value, int) or node.value < 0:
        raise node.error("`limit` has to be a number of rows, zero or more.")
    return node.value


def _root_fields(body: Node, key: str, known: frozenset[str]) -> frozenset[str] | None:
    node = body.get(key)
    if node is None:
        return None
    for entry in node.items(f"`{key}`"):
        if entry.value not in known:
            raise entry.error(f"`{key}` takes {', '.join(sorted(known))}, not `{entry.value}`.")
    return frozenset(entry.text(f"`{key}`") for entry in node.items(f"`{key}`"))
