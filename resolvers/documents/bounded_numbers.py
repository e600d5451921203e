"""Numbers within the bounds of their type, in whatever notation: 2.0 and 2e0 are whole.

Hasura: `scientificToInteger` and `scientificToFloat` in `Backends/Postgres/SQL/Value.hs` and `GraphQL/Parser/Internal/Scalars.hs`.
"""

import struct
from decimal import Decimal, InvalidOperation

from permissions.errors import GraphQLRefusal
from resolvers.documents.exact_json import Number

_NOT_WHOLE = "lies outside the bounds or is not an integer."
_MAYBE = "Maybe it is a float, or is there integer overflow?"
# As Hasura has it of columns, with two spaces; elsewhere floats stand nowhere.
_TOO_FAR = "lies outside the bounds.  Is it overflowing the float bounds?"
# Decimal digits of more than any bound here.
_DIGITS = 40
# Haskell writes numbers from 0.1 up to this many digits before the point without an exponent.
_PLAIN_DIGITS = 7


def number_text(value: object) -> str | None:
    """A number as it was written; None for anything else."""
    if isinstance(value, Number):
        return value.text
    return repr(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def whole(text: str, bits: int, path: str, *, of_column: bool = False) -> int:
    """A whole number of so many bits; raises parse-failed for any other. Hasura writes one space more of a column."""
    number = _decimal(text)
    if number is not None and number.adjusted() < _DIGITS and number == number.to_integral_value():
        value = int(number)
        if -(1 << bits - 1) <= value < 1 << bits - 1:
            return value
    raise GraphQLRefusal("parse-failed", f"The value {_shown(text)} {_NOT_WHOLE}{'  ' if of_column else ' '}{_MAYBE}", path)


def real(text: str, bits: int, path: str) -> str:
    """A number that a float of 32 or 64 bits comes near to; raises parse-failed for one beyond."""
    value = float(text)
    try:
        struct.pack(">f" if bits == 32 else ">d", value)
    except OverflowError:
        value = float("inf")
    if abs(value) == float("inf") or (value == 0 and _decimal(text) != 0):
        raise GraphQLRefusal("parse-failed", f"The value {_shown(text)} {_TOO_FAR}", path)
    return text


def money(text: str) -> str:
    """PostgreSQL reads no exponent in money."""
    number = _decimal(text)
    return text if number is None or number.adjusted() >= _DIGITS else f"{number:.2f}"


def _decimal(text: str) -> Decimal | None:
    """None for an exponent that not even Python's decimals have."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _shown(text: str) -> str:
    """As Haskell's `Scientific` shows itself."""
    number = _decimal(text)
    if number is None:
        return text
    if number == 0:
        return "0.0"
    sign, places, _ = number.as_tuple()
    digits = "".join(map(str, places)).lstrip("0").rstrip("0")
    before = number.adjusted() + 1
    minus = "-" if sign else ""
    if 0 <= before <= _PLAIN_DIGITS:
        return f"{minus}{digits[:before].ljust(before, '0') or '0'}.{digits[before:] or '0'}"
    return f"{minus}{digits[0]}.{digits[1:] or '0'}e{before - 1}"
