"""AMF0: how the commands of RTMP are written."""

import struct
from typing import Any, Final

NUMBER, BOOLEAN, STRING, OBJECT, NULL = 0, 1, 2, 3, 5
END: Final = b"\0\0\x09"
DEEPEST: Final = 8
LONGEST_ARRAY: Final = 64


class BadAmf(ValueError):
    """These bytes are no AMF0, or more of it than a command has."""


class Reader:
    """Takes values from the front of some bytes."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def values(self) -> list[Any]:
        """All of them. Raises BadAmf."""
        found = []
        while self._at < len(self._data):
            found.append(self._value(0))
        return found

    def _value(self, depth: int) -> Any:
        if depth > DEEPEST:
            raise BadAmf("too deep")
        match kind := self._take(1)[0]:
            case 0:
                return struct.unpack(">d", self._take(8))[0]
            case 1:
                return self._take(1) != b"\0"
            case 2:
                return self._text()
            case 3:
                return self._fields(depth)
            case 5 | 6:
                return None
            case 8:
                self._take(4)
                return self._fields(depth)
            case 10:
                length = int.from_bytes(self._take(4), "big")
                if length > LONGEST_ARRAY:
                    raise BadAmf("too long an array")
                return [self._value(depth + 1) for _ in range(length)]
        raise BadAmf(f"type {kind}")

    def _fields(self, depth: int) -> dict[str, Any]:
        fields = {}
        while self._data[self._at : self._at + len(END)] != END:
            name = self._text()
            fields[name] = self._value(depth + 1)
        self._take(len(END))
        return fields

    def _text(self) -> str:
        return self._take(int.from_bytes(self._take(2), "big")).decode("utf-8", "replace")

    def _take(self, length: int) -> bytes:
        taken = self._data[self._at : self._at + length]
        if len(taken) < length:
            raise BadAmf("cut off")
        self._at += length
        return taken


def written(*values: object) -> bytes:
    """These values in a row: numbers, texts, booleans, None, and dicts of them."""
    return b"".join(map(_written, values))


def _written(value: object) -> bytes:
    match value:
        case None:
            return bytes([NULL])
        case bool():
            return bytes([BOOLEAN, value])
        case int() | float():
            return bytes([NUMBER]) + struct.pack(">d", value)
        case str():
            return bytes([STRING]) + _named(value)
        case dict():
            return bytes([OBJECT]) + b"".join(_named(name) + _written(one) for name, one in value.items()) + END
    raise TypeError(f"no AMF0 for {type(value).__name__}")


def _named(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(2, "big") + encoded
