"""Numbers of the variables, in columns and inside JSON, keep every digit on the way to PostgreSQL."""

import orjson
import pytest

from app.graphql.request_body import parse_body
from permissions.errors import GraphQLRefusal
from resolvers.documents.exact_json import Number, json_text, plain, read_json, takes_long
from resolvers.documents.request import Request
from tests.engine.library import Library
from tests.support.refusals import code_in

DIGITS = [
    "12345678901234567890.5012345",
    "-123456789012345678901234",
    "0.1234567890123456789",
    "1e-320",
    "18446744073709551616",
    "9007199254740993",
    "-1e400",
    "0.1",
    "-7",
]


@pytest.mark.parametrize("digits", DIGITS)
def test_no_digit_is_lost(digits: str) -> None:
    body = f'{{"a":[{digits},{{"b":{digits}}}],"t":"1e400, 12345678901234567890"}}'
    assert json_text(read_json(body.encode())) == body
    assert float(plain(read_json(body.encode()))["a"][0]) == float(digits)


def test_deep_json_keeps_its_digits() -> None:
    body = "[" * 254 + "12345678901234567890.5" + "]" * 254
    assert json_text(read_json(body.encode())) == body


@pytest.mark.parametrize("inside", ["0", "12345678901234567890.5"])
def test_json_deeper_than_that_is_refused_in_words(inside: str) -> None:
    with pytest.raises(GraphQLRefusal, match="deeper than 254 levels"):
        json_text(read_json(f"{'[' * 255}{inside}{']' * 255}".encode()))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b'{"a":1e400,}',
        b'{"a":1e400,"b":"\\ud800"}',
        b'{"a":NaN,"b":12345678901234567890.5}',
        b'"\xff"',
        b"[12345678901234567890.5",
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        read_json(body)


def test_json_too_deep_for_python_is_refused() -> None:
    with pytest.raises(ValueError, match="nested too deeply"):
        read_json(b"[" * 1020 + b"12345678901234567890.5" + b"]" * 1020)


def test_a_number_of_any_kind_among_long_ones_is_worth_the_same() -> None:
    written = ["1", "-7", "1.5", "1e2", "1E-3", "0.8444218515250481", "1.50", "9223372036854775807", "-9223372036854775808", "1e99"]
    alone, among = [orjson.loads(text) for text in written], plain(read_json(f"[{','.join([*written, '1e299'])}]".encode()))
    assert among == [*alone, 1e299]


@pytest.mark.parametrize("number", ["1e99", "0.8444218515250481", "12345678901234567890.5"])
def test_many_long_numbers_are_read_without_computing(number: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """To compute with each took two microseconds, and a message of 64 KiB holds thirteen thousand."""
    computed = 0

    def counted(text: str) -> float:
        nonlocal computed
        computed += 1
        return float(text)

    monkeypatch.setattr("resolvers.documents.exact_json.float", counted, raising=False)
    assert read_json(f"[{','.join([number] * 1000)}]".encode()) == [Number(number)] * 1000
    assert computed == 0


def test_long_numbers_are_no_work_for_the_event_loop() -> None:
    assert takes_long(b"[" + b",".join([b"1e99"] * 2000) + b"]")
    assert takes_long(b"[" + b",".join([b"1"] * 8000) + b",12345678901234567]")
    assert not takes_long(b"[" + b",".join([b"1e99"] * 100) + b"]")
    assert not takes_long(b"[" + b",".join([b"1"] * 30_000) + b"]")


@pytest.mark.anyio
async def test_numbers_arrive_as_written(fresh_books: Library) -> None:
    query = "mutation ($t: jsonb, $p: numeric) { update_book_by_pk(pk_columns: {id: 1}, _set: {tags: $t, price: $p}) { id } }"
    request = parse_body(f'{{"query": "{query}", "variables": {{"t": {{"n": [12345678901234567890.5]}}, "p": 19.99}}}}'.encode())
    assert isinstance(request, Request)
    assert "errors" not in await fresh_books.ask(request.query, request.variables)
    assert await fresh_books.value("SELECT tags::text FROM book WHERE id = 1") == '{"n": [12345678901234567890.5]}'
    where = "query ($p: numeric) { book(where: {price: {_lt: $p}, id: {_eq: 1}}) { id } }"
    for bound, found in (("19.9900000000000000001", [{"id": 1}]), ("19.9899999999999999999", [])):
        asked = parse_body(f'{{"query": "{where}", "variables": {{"p": {bound}}}}}'.encode())
        assert isinstance(asked, Request)
        assert (await fresh_books.ask(asked.query, asked.variables))["data"]["book"] == found


@pytest.mark.anyio
async def test_an_integer_beyond_all_bounds_is_refused_in_words(fresh_books: Library) -> None:
    for query, variables in (
        ("query ($n: Int) { book(limit: $n) { id } }", '{"n": 123456789012345678901234}'),
        ("query ($n: Int!) { book_by_pk(id: $n) { id } }", '{"n": 123456789012345678901234}'),
    ):
        request = parse_body(f'{{"query": "{query}", "variables": {variables}}}'.encode())
        assert isinstance(request, Request)
        answer = await fresh_books.ask(request.query, request.variables)
        assert code_in(answer, query) in ("validation-failed", "parse-failed")
