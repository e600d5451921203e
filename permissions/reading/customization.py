"""Reads a source's `customization`: what surrounds the names of its root fields and types, and by which convention they are made."""

import re

from permissions.reading.nodes import Node, Problem
from schema.naming import Convention, Naming

_CONVENTIONS = ", ".join(Convention)
# GraphQL keeps names with `__` for itself.
_FIELD = re.compile(r"(?!__)[_A-Za-z][_0-9A-Za-z]*")


def read_customization(node: Node | None, problems: list[Problem], default: Convention = Convention.HASURA) -> Naming:
    """Hasura: `{root_fields: {namespace, prefix, suffix}, type_names: {prefix, suffix}, naming_convention}`, all optional.

    `default` is the convention of a source that names none.
    """
    if node is None or node.value is None:
        return Naming(default)
    for key, value in node.mapping("`customization`").items():
        if key not in ("root_fields", "type_names", "naming_convention"):
            problems.append(Problem(value.position, f"A source's `customization` has no key `{key}`; it is ignored."))
    roots = _texts(node.get("root_fields"), ("namespace", "prefix", "suffix"), "`root_fields`", problems)
    namespace = roots.get("namespace")
    if namespace is not None and not _FIELD.fullmatch(namespace):
        problems.append(Problem(node.position, f"The `namespace` {namespace} can't be a GraphQL name: root fields stand at the top."))
        namespace = None
    types = _texts(node.get("type_names"), ("prefix", "suffix"), "`type_names`", problems)
    return Naming(
        convention=_convention(node, problems, default),
        root_prefix=roots.get("prefix", ""),
        root_suffix=roots.get("suffix", ""),
        namespace=namespace,
        type_prefix=types.get("prefix", ""),
        type_suffix=types.get("suffix", ""),
    )


def _convention(node: Node, problems: list[Problem], default: Convention) -> Convention:
    written = node.get("naming_convention")
    if written is None or written.value is None:
        return default
    if written.value not in list(Convention):
        sentence = f"`naming_convention` is one of {_CONVENTIONS}, not {written.value}; names are made by {default}."
        problems.append(Problem(written.position, sentence))
        return default
    return Convention(str(written.value))


def _texts(node: Node | None, keys: tuple[str, ...], what: str, problems: list[Problem]) -> dict[str, str]:
    """The texts that are there: an empty one, or null, is none."""
    if node is None or node.value is None:
        return {}
    found = {}
    for key, value in node.mapping(what).items():
        if key not in keys:
            problems.append(Problem(value.position, f"{what} of a source's `customization` has no key `{key}`; it is ignored."))
        elif value.value not in (None, ""):
            found[key] = value.text(f"`{key}`")
    return found
