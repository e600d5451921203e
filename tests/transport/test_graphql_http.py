"""`/v1/graphql` over HTTP, against a real server."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from app.auth import Authenticator
from tests.support.refusals import code_in, error_in
from tests.transport.fakes import FakeService, serving

pytestmark = pytest.mark.anyio

ADMIN = {"x-hasura-admin-secret": "open sesame"}
PATH = "/v1/graphql"


@pytest.fixture
def service() -> FakeService:
    return FakeService(Authenticator(admin_secrets=["open sesame"], unauthorized_role="guest"))


@pytest.fixture
async def http(service: FakeService) -> AsyncIterator[httpx2.AsyncClient]:
    async with serving(service) as address, httpx2.AsyncClient(base_url=f"http://{address}", headers=ADMIN) as client:
        yield client


def seen(**of: Any) -> dict[str, Any]:
    return {"data": {"role": "admin", "variables": {}, "name": None, "context": "context"} | of}


async def test_a_request(http: httpx2.AsyncClient) -> None:
    answer = await http.post(PATH, json={"query": "query q", "variables": {"a": [1]}, "operationName": "q", "extensions": {}})
    assert (answer.status_code, answer.json()) == (200, seen(variables={"a": [1]}, name="q"))
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert "server" not in answer.headers


async def test_a_large_body_waits_for_its_turn_to_be_read() -> None:
    service = FakeService(Authenticator(admin_secrets=["open sesame"]), max_bytes=200_000)
    async with serving(service) as address, httpx2.AsyncClient(base_url=f"http://{address}", headers=ADMIN) as client:
        for size, turns in ((10, 0), (100_000, 1)):
            answer = await client.post(PATH, json={"query": "query q", "variables": {"a": "x" * size}})
            assert answer.json() == seen(variables={"a": "x" * size})
            assert len(service.engine.turns) == turns
    assert service.engine.turns == ["admin"]


async def test_a_body_of_long_numbers_waits_for_its_turn_to_be_read() -> None:
    service = FakeService(Authenticator(admin_secrets=["open sesame"]), max_bytes=200_000)
    async with serving(service) as address, httpx2.AsyncClient(base_url=f"http://{address}", headers=ADMIN) as client:
        for count, turns in ((10, 0), (2000, 1)):
            answer = await client.post(PATH, json={"query": "query q", "variables": {"a": [1.5, *[123456789012345678] * count]}})
            assert answer.json() == seen(variables={"a": [1.5, *[123456789012345678] * count]})
            assert len(service.engine.turns) == turns


async def test_a_batch_is_answered_in_order_and_each_member_alone(http: httpx2.AsyncClient) -> None:
    answer = await http.post(PATH, json=[{"query": "query a", "operationName": "a"}, {"query": "nonsense"}, 3, {"query": "query b"}])
    first, second, third, fourth = answer.json()
    assert (first, fourth) == (seen(name="a"), seen())
    assert [code_in(second, "nonsense"), code_in(third, 3)] == ["validation-failed", "parse-failed"]
    assert (await http.post(PATH, json=[])).json() == []
    assert code_in((await http.post(PATH, json=[{}] * 101)).json(), "a batch of 101") == "parse-failed"


@pytest.mark.parametrize(
    ("body", "code", "path"),
    [
        (b"", "invalid-json", "$"),
        (b"{", "invalid-json", "$"),
        (b'"query"', "parse-failed", "$"),
        (b"{}", "parse-failed", "$"),
        (b'{"query":null}', "parse-failed", "$"),
        (b'{"query":7}', "parse-failed", "$.query"),
        (b'{"query":"query q","variables":"x"}', "parse-failed", "$.variables"),
        (b'{"query":"query q","operationName":[]}', "parse-failed", "$.operationName"),
    ],
)
async def test_a_malformed_body(http: httpx2.AsyncClient, body: bytes, code: str, path: str) -> None:
    answer = await http.post(PATH, content=body)
    assert answer.status_code == 200
    assert error_in(answer.json(), body)["extensions"] == {"code": code, "path": path}


async def test_a_null_for_variables_or_name_is_as_absent(http: httpx2.AsyncClient) -> None:
    assert (await http.post(PATH, json={"query": "query q", "variables": None, "operationName": None})).json() == seen()


async def test_authentication_comes_before_the_body_is_read(http: httpx2.AsyncClient) -> None:
    answer = await http.post(PATH, content=b"{", headers={"x-hasura-admin-secret": "wrong"})
    assert answer.json() == {
        "errors": [{"message": "invalid x-hasura-admin-secret/x-hasura-access-key", "extensions": {"path": "$", "code": "access-denied"}}]
    }


async def test_a_body_that_is_too_large(http: httpx2.AsyncClient) -> None:
    large = b'{"query":"query q"}' + b" " * 5000

    async def in_pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 1000):
            yield large[start : start + 1000]

    assert (await http.post(PATH, content=large)).status_code == 413
    assert (await http.post(PATH, content=in_pieces())).status_code == 413
    assert (await http.post(PATH, json={"query": "query q"})).status_code == 200


async def test_other_methods(http: httpx2.AsyncClient) -> None:
    browser = await http.get(PATH, headers={"accept": "text/html,*/*"})
    assert (browser.status_code, browser.headers["location"]) == (303, "/console")
    other = await http.get(PATH)
    assert (other.status_code, other.headers["allow"]) == (405, "POST, GET, OPTIONS")
    assert code_in(other.json(), "GET") == "method-not-allowed"
    assert (await http.options(PATH)).status_code == 204


async def test_the_request_id_is_the_callers_when_harmless(http: httpx2.AsyncClient) -> None:
    async def id_for(given: str) -> str:
        return (await http.post(PATH, json={"query": "query q"}, headers={"x-request-id": given})).headers["x-request-id"]

    assert await id_for("abc-1.2_3") == "abc-1.2_3"
    assert await id_for("x" * 65) != "x" * 65
    assert await id_for("a b") != "a b"
    assert await id_for("") != await id_for("")


async def test_with_tokens_in_cookies_a_form_of_a_foreign_page_is_refused() -> None:
    service = FakeService(Authenticator(admin_secrets=["open sesame"]), json_only=True)
    async with serving(service) as address, httpx2.AsyncClient(base_url=f"http://{address}", headers=ADMIN) as http:
        assert (await http.post(PATH, content=b'{"query":"query q"}', headers={"content-type": "text/plain"})).status_code == 415
        assert (await http.post(PATH, json={"query": "query q"})).json() == seen()


OWN_MEDIA = "application/graphql-response+json"


async def test_queries_by_get_and_never_mutations(http: httpx2.AsyncClient, service: FakeService) -> None:
    asked = {"query": "query q", "variables": '{"a":1}', "operationName": "q"}
    answer = await http.get(PATH, params=asked)
    assert answer.headers["cache-control"] == "no-store"
    assert (answer.status_code, answer.json()) == (200, seen(variables={"a": 1}, name="q"))
    refused = await http.get(PATH, params={"query": "mutation m"})
    assert (refused.status_code, code_in(refused.json(), "a mutation")) == (405, "method-not-allowed")
    assert service.engine.ran == ["query q"]
    stranger = await http.get(PATH, params=asked, headers={"x-hasura-admin-secret": "wrong"})
    assert (stranger.status_code, code_in(stranger.json(), "a stranger")) == (200, "access-denied")
    assert code_in((await http.get(PATH, params={**asked, "variables": "{"})).json(), "bad JSON") == "invalid-json"


@pytest.mark.parametrize(
    ("accept", "own"),
    [
        (OWN_MEDIA, True),
        (f"{OWN_MEDIA}, application/json;q=0.9", True),
        (f"{OWN_MEDIA}, application/json", False),
        (f"{OWN_MEDIA}, */*", True),
        (f"application/json, {OWN_MEDIA};q=0.5", False),
        (f"{OWN_MEDIA};q=0", False),
        ("application/json", False),
        ("*/*", False),
    ],
)
async def test_the_status_tells_of_errors_to_who_asks_for_it(http: httpx2.AsyncClient, accept: str, own: bool) -> None:
    media = OWN_MEDIA if own else "application/json"
    for query, status in (("query q", 200), ("nonsense", 400), ("mutation fails unexpected", 500), ("mutation fails access-denied", 401)):
        answer = await http.post(PATH, json={"query": query}, headers={"accept": accept})
        assert (answer.status_code, answer.headers["content-type"]) == (status if own else 200, f"{media}; charset=utf-8")
    wrong = await http.post(PATH, json={"query": "query q"}, headers={"accept": accept, "x-hasura-admin-secret": "wrong"})
    assert wrong.status_code == (401 if own else 200)


async def test_a_hash_alone_is_answered_in_the_words_that_clients_fall_back_on(http: httpx2.AsyncClient) -> None:
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}
    for answer in (
        await http.post(PATH, json={"extensions": extensions, "variables": {}}),
        await http.get(PATH, params={"extensions": json.dumps(extensions)}),
    ):
        refusal = error_in(answer.json(), extensions)
        assert (refusal["message"], refusal["extensions"]["code"]) == ("PersistedQueryNotSupported", "PERSISTED_QUERY_NOT_SUPPORTED")
    both = await http.post(PATH, json={"query": "query q", "extensions": extensions})
    assert both.json() == seen()
