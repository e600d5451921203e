"""Reads the inherited roles of the metadata (`inherited_roles.yaml`)."""

from permissions.reading.entries import InheritedRoleEntry
from permissions.reading.nodes import Node, Problem, each


def read_inherited_roles(node: Node | None, problems: list[Problem]) -> tuple[InheritedRoleEntry, ...]:
    """One entry for each role name: of two none is taken, for nobody can say which was meant."""
    entries = each(node, "`inherited_roles`", _read, problems)
    names = [entry.role for entry in entries]
    problems.extend(
        Problem(e.position, f"The inherited role {e.role} is defined twice; keep one.") for e in entries if names.count(e.role) > 1
    )
    return tuple(entry for entry in entries if names.count(entry.role) == 1)


def _read(node: Node) -> InheritedRoleEntry:
    node.only(frozenset({"role_name", "role_set", "comment"}), "An inherited role")
    node.get("comment")
    role = node.required("role_name", "An inherited role").text("`role_name`")
    if role == "admin":
        raise node.error("The role admin has every permission already; it can't inherit.")
    parents = [entry.text("A role") for entry in node.required("role_set", f"The inherited role {role}").items("`role_set`")]
    if not parents:
        raise node.error(f"The inherited role {role} needs at least one role in its `role_set`.")
    return InheritedRoleEntry(role, tuple(dict.fromkeys(parents)), node.position)
