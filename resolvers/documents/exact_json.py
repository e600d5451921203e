"""JSON in and out without losing a digit: PostgreSQL's numbers are longer than Python's floats and JSON's usual integers."""

import json
import re
from dataclasses import dataclass
from typing import Any

import orjson

from permissions.errors import GraphQLRefusal

# Python refuses to read thousands of digits.
_DIGITS = 400
# So many characters hold any integer of 64 bits, so many any float without a digit too many.
_SHORT_INTEGER, _SHORT_FLOAT = 18, 16
# Numbers that a float or 64 bits may not hold: many digits, or an exponent of two and more.
_LONG = re.compile(rb"[:,\[\s]-?(?:\d[\d.]{15,}|\d[\d.]*[eE][-+]?\d{2,})")
# Each takes a third of a microsecond, and so do all others beside a single long one.
_MOST_LONG = 50_000
# Bytes that are read with `Number`s in less than half a millisecond.
_READ_AT_ONCE = 8 * 1024
# orjson goes no deeper. Whoever did in Python took a second for a megabyte.
_DEEPEST = 254
# What most requests are: the document, a few variables in it, perhaps an object among them.
_TEXTS, _A_GLANCE, _FEW = frozenset({str, bool, type(None)}), 3, 16
_BITS_64 = range(-(2**63), 2**64)


@dataclass(slots=True, unsafe_hash=True)
class Number:
    """A number as it was written: no digit is lost on the way to PostgreSQL. Nobody changes one; frozen it takes twice as long to make."""

    text: str

    @property
    def is_integer(self) -> bool:
        return self.text.lstrip("-").isdigit()

    @property
    def value(self) -> int | float:
        """For comparisons. An integer that is longer than anything it could be compared with is infinite."""
        return int(self.text) if self.is_integer and len(self.text) <= _DIGITS else float(self.text)


class TooManyNumbers(ValueError):
    """More numbers that Python would cut than are read one by one."""

    def __init__(self) -> None:
        super().__init__(f"more than {_MOST_LONG} numbers of more than 15 digits")


def takes_long(body: bytes) -> bool:
    """Whether this body's numbers take long to read: one by one instead of all at once."""
    return len(body) > _READ_AT_ONCE and _LONG.search(body) is not None


def read_json(body: bytes) -> Any:
    """The value, where Python's numbers would lose digits with `Number` in their place. Raises ValueError (TooManyNumbers)."""
    try:
        value, refused = orjson.loads(body), None
    except orjson.JSONDecodeError as error:
        # It may be no more than a number beyond its floats.
        value, refused = None, error
    if _holds_texts_alone(value):
        return value
    if not _LONG.search(body):
        if refused is not None:
            raise refused
        return value
    # Shorter than `,1e99` none is.
    if len(body) > 5 * _MOST_LONG and len(_LONG.findall(body)) > _MOST_LONG:
        raise TooManyNumbers
    return _read_exactly(body) if refused is None else _read_strictly(body, refused)


def _holds_texts_alone(value: Any, levels: int = _A_GLANCE) -> bool:
    """Whether no number is in it, as far as a glance tells: to search a request for digits takes three times as long."""
    if isinstance(value, dict) and levels and len(value) <= _FEW:
        return all(_holds_texts_alone(item, levels - 1) for item in value.values() if type(item) not in _TEXTS)
    return False


def _read_exactly(body: bytes | str) -> Any:
    try:
        return json.loads(body, parse_int=_integer, parse_float=_float, parse_constant=_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _read_strictly(body: bytes, refused: orjson.JSONDecodeError) -> Any:
    """What orjson takes but for the size of its numbers: in UTF-8, no half characters, not deeper than it goes."""
    try:
        value = _read_exactly(body.decode())
        orjson.dumps(value, default=_raw, option=orjson.OPT_PASSTHROUGH_DATACLASS)
    except (ValueError, TypeError):
        raise refused from None
    return value


def _constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON")


def json_text(value: Any) -> str:
    """The value as JSON; raises validation-failed when it is nested deeper than the encoder follows."""
    try:
        return orjson.dumps(value, default=_raw, option=orjson.OPT_PASSTHROUGH_DATACLASS).decode()
    except orjson.JSONEncodeError as error:
        if "Recursion" not in str(error):
            raise
        raise GraphQLRefusal("validation-failed", f"JSON is nested deeper than {_DEEPEST} levels") from None


def plain(value: Any) -> Any:
    """The value with Python's own numbers, for who computes with them."""
    match value:
        case Number():
            return value.value
        case dict():
            return {name: plain(item) for name, item in value.items()}
        case list():
            return [plain(item) for item in value]
    return value


def _integer(text: str) -> int | Number:
    if len(text) <= _SHORT_INTEGER:
        return int(text)
    return int(text) if len(text) <= _DIGITS and int(text) in _BITS_64 else Number(text)


def _float(text: str) -> float | Number:
    """A `Number` in doubt: to find out takes longer than to make one."""
    return float(text) if len(text) <= _SHORT_FLOAT and "e" not in text and "E" not in text else Number(text)


def _raw(value: Any) -> orjson.Fragment:
    if isinstance(value, Number):
        return orjson.Fragment(value.text)
    raise TypeError(type(value).__name__)
