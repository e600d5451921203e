"""The error of a response, and words for its absence: `KeyError: 'errors'` would name no field and show no answer."""

from typing import Any, Final

# Some documents are floods of aliases; their beginning says which.
SHOWN: Final = 400


def error_in(answer: Any, asked: object) -> dict[str, Any]:
    """The error of a response that is nothing but one error; `asked` is what a failure names: the query, or the field."""
    errors = answer.get("errors") if isinstance(answer, dict) else None
    assert errors, f"not refused: {_shown(asked)}\nthe answer: {answer}"
    assert answer.keys() == {"errors"} and len(errors) == 1, f"refused with more than one error: {_shown(asked)}\nthe answer: {answer}"
    error: dict[str, Any] = errors[0]
    return error


def code_in(answer: Any, asked: object) -> str:
    """The code of that error."""
    code: str = error_in(answer, asked)["extensions"]["code"]
    return code


def _shown(asked: object) -> str:
    text = str(asked)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
