"""Hasura metadata in any of its written forms, as one document of the shape `hasura metadata export` prints."""

import os
from collections.abc import Mapping
from pathlib import Path

from permissions.reading import json_nodes, yaml_nodes
from permissions.reading.nodes import MetadataError, Node, Position, Problem

# The files of a directory, by the name that their content has in a single document.
_SECTIONS = {
    "version": "version.yaml",
    "sources": "databases/databases.yaml",
    "actions": "actions.yaml",
    "allowlist": "allow_list.yaml",
    **{
        name: f"{name}.yaml"
        for name in (
            *("api_limits", "backend_configs", "cron_triggers", "graphql_schema_introspection", "inherited_roles", "metrics_config"),
            *("network", "opentelemetry", "query_collections", "remote_schemas", "rest_endpoints"),
        )
    },
}
# Written by Hasura's command line beside the above; the types of actions are read from `actions.yaml`.
_BESIDE = frozenset({"actions.graphql", "tables.yaml", "functions.yaml"})


def read_document(path: Path) -> Node:
    """A directory (format 2 or 3) or a single JSON or YAML file; includes are resolved. Raises MetadataError."""
    if path.is_dir():
        return _from_directory(path)
    return _with_sources(_unwrapped(_read_file(path, ())))


def _read_file(path: Path, including: tuple[Path, ...]) -> Node:
    file = _shown(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MetadataError(Problem(Position(file, 1), f"This file can't be read: {error}.")) from error
    parse = json_nodes.parse_json if path.suffix == ".json" else yaml_nodes.parse_yaml
    node = parse(text, file)
    # Hundreds of files include nothing; whoever escapes letters may write it otherwise.
    includes = yaml_nodes.INCLUDE in text or "\\" in text
    return _resolved(node, path, (*including, path.resolve())) if includes else node


def _shown(path: Path) -> str:
    """Relative to the working directory when it lies in it, as an editor or a terminal would open it."""
    absolute = path.absolute()
    return os.path.relpath(absolute) if absolute.is_relative_to(Path.cwd()) else str(path)


def _resolved(node: Node, path: Path, including: tuple[Path, ...]) -> Node:
    """Replaces every include: the text `!include x` (as Hasura's CLI writes it) or the YAML tag."""
    if isinstance(node.value, dict):
        # What a key includes is told of where the key stands.
        keys = {key: Node(_resolved(child, path, including).value, child.position) for key, child in node.value.items()}
        return Node(keys, node.position)
    if isinstance(node.value, list):
        return Node([_resolved(child, path, including) for child in node.value], node.position)
    if not isinstance(node.value, str) or not node.value.startswith(f"{yaml_nodes.INCLUDE} "):
        return node
    target = path.parent / node.value.removeprefix(yaml_nodes.INCLUDE).strip()
    if target.resolve() in including:
        raise node.error(f"{target.name} includes itself.")
    if not target.is_file():
        raise node.error(f"There is no file {_shown(target)} to include.")
    return _read_file(target, including)


def _from_directory(directory: Path) -> Node:
    root: dict[str, Node] = {}
    for section, name in _SECTIONS.items():
        if (directory / name).is_file():
            root[section] = _read_file(directory / name, ())
    for section in ("tables", "functions"):
        if "sources" not in root and (directory / f"{section}.yaml").is_file():
            root[section] = _read_file(directory / f"{section}.yaml", ())
    here = Position(_shown(directory), 1)
    if not root.keys() & {"sources", "tables"}:
        raise MetadataError(Problem(here, "This is no metadata directory: it has neither databases/databases.yaml nor tables.yaml."))
    for section in ("version", "actions"):
        # These two files hold a mapping: the section, and for actions their types.
        part = root.pop(section, None)
        if part is not None:
            root |= part.value if isinstance(part.value, dict) else {section: part}
    return _with_sources(Node({**root, **_unknown_files(directory, root)}, here))


def _unknown_files(directory: Path, known: Mapping[str, Node]) -> dict[str, Node]:
    """Files at the top that no section is read from, each as a key that nobody looks at, so that it is told."""
    read = {*_SECTIONS.values(), *_BESIDE}
    files = sorted(path for path in directory.iterdir() if path.is_file() and path.suffix in (".yaml", ".yml", ".graphql"))
    return {path.name: Node(path.name, Position(_shown(path), 1)) for path in files if path.name not in read and path.name not in known}


def _unwrapped(node: Node) -> Node:
    """`export_metadata` answers `{resource_version, metadata}`."""
    inner = node.get("metadata") if isinstance(node.value, dict) else None
    return node if inner is None else inner


def _with_sources(node: Node) -> Node:
    """Version 2 has its tables at the top; they belong to the one source `default`."""
    root = {**node.mapping("The metadata")}
    if "sources" in root or "tables" not in root:
        # Anew: nobody has looked at its keys yet.
        return Node(root, node.position)
    # No more at the top, where nobody looks at them.
    source: dict[str, Node] = {key: root.pop(key) for key in ("tables", "functions") if key in root}
    source["kind"] = Node("postgres", node.position)
    default = Node(source, node.position)
    return Node({**root, "sources": Node([default], node.position)}, node.position)
