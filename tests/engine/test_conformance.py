"""The conformance cases of the first slice, run against the engine without a transport."""

import re
from decimal import Decimal
from typing import Any

import pytest

from tests.engine.library import CASES, Library, session_of, suite
from tests.support.refusals import error_in

FIRST_SLICE = set((CASES.parent / "first_slice.txt").read_text().split())
# Authentication and subscriptions are the transport's.
IN_PROCESS = [case for case in suite()["cases"] if case["name"] in FIRST_SLICE and not {"server", "ws"} & case.keys()]
INTROSPECT = "query($n:String!){__type(name:$n){fields{name type{kind name ofType{kind name}}} inputFields{name}}}"


def norm(value: Any) -> Any:
    """JSON with numbers compared by value."""
    if isinstance(value, dict):
        return {key: norm(item) for key, item in value.items()}
    if isinstance(value, list):
        return [norm(item) for item in value]
    return value if isinstance(value, (bool, str)) or value is None else Decimal(str(value)).normalize()


@pytest.mark.anyio
@pytest.mark.parametrize("case", IN_PROCESS, ids=lambda case: case["name"])
async def test_case(case: dict[str, Any], fresh_books: Library) -> None:
    books, session = fresh_books, session_of(case.get("headers") or {})
    expected = case["expected"]
    for key, part in (("type_fields", "fields"), ("input_fields", "inputFields")):
        if want := expected.get(key):
            answer = await books.ask(INTROSPECT, {"n": want["type"]}, session=session)
            assert "errors" not in answer, answer
            assert sorted(field["name"] for field in answer["data"]["__type"][part]) == sorted(want["fields"])
            return
    answer = await books.ask(case["query"], case.get("variables"), session=session, name=case.get("operation_name"))
    match expected:
        case {"data": data}:
            assert norm(answer) == {"data": norm(data)}
        case {"errors": [want]}:
            check_error(want, error_in(answer, case["query"]))
        case _:
            raise AssertionError(f"{case['name']} expects neither data nor one error")
    if "after_sql" in case:
        assert await books.value(case["after_sql"]) == case["after"]


def check_error(want: dict[str, Any], error: dict[str, Any]) -> None:
    for key in ("code", "path"):
        assert error["extensions"][key] == want.get(key, error["extensions"][key])
    assert error["message"] == want.get("message", error["message"])
    assert re.search(want.get("message_re", ""), error["message"])
