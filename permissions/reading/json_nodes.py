"""JSON as a tree of nodes with line and column."""

import json
import json.decoder
import json.scanner
from bisect import bisect_right
from typing import Any

from permissions.reading.nodes import MetadataError, Node, Position, Problem


def parse_json(text: str, file: str) -> Node:
    """The document; raises MetadataError with its place when it isn't JSON or a key stands twice."""
    try:
        node: Node = _Decoder(text, file).decode(text)
    except json.JSONDecodeError as error:
        raise MetadataError(Problem(Position(file, error.lineno, error.colno), f"This is not JSON: {error.msg}.")) from error
    return node


class _Decoder(json.JSONDecoder):
    """The standard decoder, with every value wrapped in a node as it is scanned."""

    def __init__(self, text: str, file: str) -> None:
        super().__init__()
        self.file = file
        self.line_starts = [0, *(i + 1 for i, char in enumerate(text) if char == "\n")]
        self.parse_object = self.scan_object
        self.parse_array = self.scan_array
        self.scan_value = json.scanner.py_make_scanner(self)  # type: ignore[attr-defined]  # typeshed leaves it out
        self.scan_once = self.scan

    def position(self, index: int) -> Position:
        line = bisect_right(self.line_starts, index)
        return Position(self.file, line, index - self.line_starts[line - 1] + 1)

    def scan(self, text: str, index: int) -> tuple[Node, int]:
        value, end = self.scan_value(text, index)
        return Node(value, self.position(index)), end

    def scan_object(self, start: tuple[str, int], strict: bool, _: Any, *__: Any) -> tuple[dict[str, Node], int]:
        pairs, end = json.decoder.JSONObject(start, strict, self.scan, None, list, {})  # type: ignore[attr-defined]
        result: dict[str, Node] = {}
        for key, node in pairs:
            if key in result:
                raise node.error(f"The key `{key}` stands twice in one object.")
            result[key] = node
        return result, end

    def scan_array(self, start: tuple[str, int], _: Any) -> tuple[list[Node], int]:
        values, end = json.decoder.JSONArray(start, self.scan)  # type: ignore[attr-defined]
        return values, end
