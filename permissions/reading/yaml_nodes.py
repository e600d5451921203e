"""YAML as a tree of nodes, by the core schema of YAML 1.2: `on` is a text, and so is `2024-01-01`."""

import re
from collections.abc import Iterator

import yaml

from permissions.reading.nodes import MetadataError, Node, Position, Problem, Scalar

INCLUDE = "!include"
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")


def parse_yaml(text: str, file: str) -> Node:
    """The one document of `text`; raises MetadataError with file and line when it isn't YAML."""
    try:
        root = yaml.compose(text, Loader=yaml.CBaseLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise MetadataError(Problem(Position(file, line), f"This is not YAML: {error.problem}.")) from error
    except yaml.YAMLError as error:
        raise MetadataError(Problem(Position(file, 1), f"This is not YAML: {error}.")) from error
    return Node(None, Position(file, 1)) if root is None else _Reader(file).node(root)


class _Reader:
    def __init__(self, file: str) -> None:
        self.file = file
        # An alias is the same YAML node again; None marks one that is being read, so that a cycle is seen.
        self.seen: dict[int, Node | None] = {}

    def node(self, source: yaml.Node) -> Node:
        key = id(source)
        if key not in self.seen:
            self.seen[key] = None
            self.seen[key] = Node(self.value(source), self.position(source))
        done = self.seen[key]
        if done is None:
            raise MetadataError(Problem(self.position(source), "An alias must not contain itself."))
        return done

    def position(self, source: yaml.Node) -> Position:
        return Position(self.file, source.start_mark.line + 1)

    def value(self, source: yaml.Node) -> "Scalar | list[Node] | dict[str, Node]":
        if isinstance(source, yaml.MappingNode):
            return self.mapping(source)
        if isinstance(source, yaml.SequenceNode):
            return [self.node(entry) for entry in source.value]
        if source.tag == INCLUDE:
            return f"{INCLUDE} {source.value}"
        # A quoted scalar has its quote as style, a plain one none.
        return source.value if getattr(source, "style", None) else _plain(source.value)

    def mapping(self, source: yaml.MappingNode) -> dict[str, Node]:
        result: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in source.value:
            if key.value == "<<" and not getattr(key, "style", None):
                for base in self.bases(value):
                    merged = base | merged
            elif key.value in result:
                raise MetadataError(Problem(self.position(key), f"The key `{key.value}` stands twice in one mapping."))
            else:
                node = self.node(value)
                # The key's line says more than the line on which its block begins.
                result[str(key.value)] = Node(node.value, self.position(key))
        return merged | result

    def bases(self, source: yaml.Node) -> Iterator[dict[str, Node]]:
        for base in source.value if isinstance(source, yaml.SequenceNode) else [source]:
            yield self.node(base).mapping("What `<<` merges")


def _plain(text: str) -> Scalar:
    if text in _NULLS:
        return None
    if text in _BOOLS:
        return _BOOLS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
