"""A response that was not refused fails the test by name of what was asked."""

from typing import Any

import pytest

from tests.support.refusals import code_in, error_in

ERROR: dict[str, Any] = {"message": "no", "extensions": {"code": "validation-failed", "path": "$"}}
ASKED = "{ nchat_calls { status_since } }"


def test_the_error_of_a_refusal() -> None:
    assert error_in({"errors": [ERROR]}, ASKED) == ERROR
    assert code_in({"errors": [ERROR]}, ASKED) == "validation-failed"


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"nchat_calls": [{"status_since": "now"}]}},
        {"data": None, "errors": [ERROR]},
        {"errors": [ERROR, ERROR]},
        {"errors": []},
        {},
        [],
    ],
    ids=["data", "data beside the error", "two errors", "no error", "nothing", "a list"],
)
def test_anything_else_fails_with_the_question_and_the_whole_answer(answer: Any) -> None:
    with pytest.raises(AssertionError) as failed:
        code_in(answer, ASKED)
    assert ASKED in str(failed.value)
    assert str(answer) in str(failed.value)


def test_a_flood_is_named_by_its_beginning() -> None:
    with pytest.raises(AssertionError) as failed:
        error_in({"data": {}}, "{ a" * 20_000)
    assert "{ a{ a{ a" in str(failed.value)
    assert len(str(failed.value)) < 1000
