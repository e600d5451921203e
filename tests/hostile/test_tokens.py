"""Tokens that are no good, by HTTP and by websocket: each is refused with a code, by nobody's exception, and lets nobody in."""

import base64
import hashlib
import hmac
import time
from collections.abc import AsyncIterator

import httpx2
import orjson
import pytest
from websockets.exceptions import InvalidHandshake, InvalidMessage

from app.auth import Authenticator, JwtConfiguration
from app.auth.verifier import TokenVerifier
from tests.support.refusals import code_in
from tests.transport.fakes import FakeService, serving, websocket

pytestmark = pytest.mark.anyio

KEY = "0123456789abcdef0123456789abcdef"
NAMESPACE = "https://hasura.io/jwt/claims"
ROLES = '"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"user"'
HEADER = '{"alg":"HS256","typ":"JWT"}'
# Deeper than Python follows.
DEEP = 2_000
NOW = int(time.time())


def part(text: str | bytes) -> str:
    return base64.urlsafe_b64encode(text if isinstance(text, bytes) else text.encode()).rstrip(b"=").decode()


def signed(payload: str | bytes, header: str | bytes = HEADER) -> str:
    """With our own key: whoever signs may make mistakes, too."""
    message = f"{part(header)}.{part(payload)}"
    return f"{message}.{part(hmac.new(KEY.encode(), message.encode(), hashlib.sha256).digest())}"


def unsigned(header: str, signature: str) -> str:
    return f"{part(header)}.{part(claims())}.{signature}"


def claims(more: str = '"x-hasura-user-id":"1"', outside: str = "") -> str:
    return f'{{"{NAMESPACE}":{{{ROLES},{more}}}{outside}}}'


TIMES = {
    "beyond a float": "1" + "0" * 400,
    "before any float": "-1" + "0" * 400,
    "more digits than Python reads": "1" * 5000,
    "just beyond what all readers agree on": str((1 << 53) + 1),
    "no number": "NaN",
    "never": "Infinity",
    "before all time": "-Infinity",
    "infinite by its exponent": "1e400",
    "true": "true",
    "false": "false",
    "null": "null",
    "text": '"9999999999"',
    "a list": "[]",
    "an object": "{}",
}
GOOD = {
    "plain": signed(claims()),
    "in fractions of a second": signed(claims(outside=f',"exp":{NOW + 86_400}.5,"iat":{NOW - 5}.5')),
    "in milliseconds, as some have it": signed(claims(outside=f',"exp":{(NOW + 86_400) * 1000}')),
    "made before 1970": signed(claims(outside=',"iat":-5,"nbf":0')),
    "an audience that nobody asked for": signed(claims(outside=',"aud":{"a":1}')),
}
BAD = {
    **{f"{name}: {kind}": signed(claims(outside=f',"{name}":{value}')) for name in ("exp", "nbf", "iat") for kind, value in TIMES.items()},
    "expired": signed(claims(outside=f',"exp":{NOW - 5}')),
    "expired long ago": signed(claims(outside=',"exp":-5')),
    "not yet": signed(claims(outside=f',"nbf":{NOW + 86_400}')),
    "made tomorrow": signed(claims(outside=f',"iat":{NOW + 86400}')),
    "a claim in two spellings": signed(claims('"x-hasura-user-id":"1","X-Hasura-User-Id":"2"')),
    "roles in two spellings": signed(claims('"X-Hasura-Allowed-Roles":["admin"]')),
    "a spelling beyond ASCII": signed(claims('"x-hasura-key":"1","x-hasura-\u212aey":"2"')),
    "a claim twice": signed(claims('"x-hasura-user-id":"1","x-hasura-user-id":"2"')),
    "the namespace twice": signed(f'{{"{NAMESPACE}":{{{ROLES}}},"{NAMESPACE}":{{{ROLES}}}}}'),
    "exp twice": signed(claims(outside=f',"exp":{NOW - 5},"exp":{NOW + 86_400}')),
    "half a letter": signed(claims('"x-hasura-user-id":"\\ud800"')),
    "a NUL": signed(claims('"x-hasura-user-id":"\\u0000"')),
    "a role that is half a letter": signed(f'{{"{NAMESPACE}":{{"x-hasura-allowed-roles":["\\ud800"],"x-hasura-default-role":"\\ud800"}}}}'),
    "a number for a claim": signed(claims('"x-hasura-user-id":1')),
    "null for a claim": signed(claims('"x-hasura-user-id":null')),
    "a list for the namespace": signed(f'{{"{NAMESPACE}":[]}}'),
    "null for the namespace": signed(f'{{"{NAMESPACE}":null}}'),
    "no roles": signed(f'{{"{NAMESPACE}":{{}}}}'),
    "a role outside its own": signed(f'{{"{NAMESPACE}":{{"x-hasura-allowed-roles":["user"],"x-hasura-default-role":"admin"}}}}'),
    "an object for the roles": signed(f'{{"{NAMESPACE}":{{"x-hasura-allowed-roles":{{"a":1}},"x-hasura-default-role":"a"}}}}'),
    "a payload of null": signed("null"),
    "a payload of a list": signed("[]"),
    "a payload of text": signed('"text"'),
    "no payload": signed(""),
    "half a payload": signed(claims()[:-1]),
    "two payloads": signed(claims() * 2),
    "a payload in another coding": signed(claims().encode("utf-16")),
    "a payload of no letters": signed(b"\xff\xfe\x00"),
    "a deep payload": signed("[" * DEEP + "]" * DEEP),
    "a deep claim": signed(claims(outside=',"a":' + "[" * DEEP + "]" * DEEP)),
    "a deep header": unsigned("[" * DEEP, "x"),
    "a deep header that ends": unsigned('{"a":' * DEEP + "1" + "}" * DEEP, "x"),
    "no algorithm": signed(claims(), "{}"),
    "algorithm none": signed(claims(), '{"alg":"none"}'),
    "algorithm none, unsigned": unsigned('{"alg":"none"}', ""),
    "algorithm null": signed(claims(), '{"alg":null}'),
    "a list of algorithms": signed(claims(), '{"alg":["HS256"]}'),
    "an object for the algorithm": signed(claims(), '{"alg":{}}'),
    "another algorithm": signed(claims(), '{"alg":"HS512"}'),
    "an algorithm for public keys": signed(claims(), '{"alg":"RS256"}'),
    "a lower-case algorithm": signed(claims(), '{"alg":"hs256"}'),
    "a number for the key id": signed(claims(), '{"alg":"HS256","kid":5}'),
    "a list for the key id": signed(claims(), '{"alg":"HS256","kid":[]}'),
    "something critical": signed(claims(), '{"alg":"HS256","crit":["x"]}'),
    "nothing critical": signed(claims(), '{"alg":"HS256","crit":[]}'),
    "a payload elsewhere": signed(claims(), '{"alg":"HS256","b64":false}'),
    "a payload elsewhere, critically": signed(claims(), '{"alg":"HS256","b64":false,"crit":["b64"]}'),
    "a header that is a list": signed(claims(), "[]"),
    "a header that is null": signed(claims(), "null"),
    "a header of no letters": signed(claims(), b"\xff"),
    "another signature": signed(claims())[:-4] + "AAAA",
    "no signature": signed(claims()).rpartition(".")[0] + ".",
    "a signature of other letters": signed(claims()).rpartition(".")[0] + ".!!!!",
    "a signature that is too long": signed(claims()) + "A" * 4096,
    "another payload": signed(claims('"x-hasura-user-id":"2"')).rpartition(".")[0] + "." + signed(claims()).rpartition(".")[2],
    "a payload with padding": signed(claims()).replace(".", "=.", 1),
    "a dash": "-",
    "dots": "..",
    "many dots": "." * 5_000,
    "two parts": "a.b",
    "five parts": "a.b.c.d.e",
    "no base64": "!.!.!",
    "other letters": "é.é.é",
    "two words": f"{signed(claims())} {signed(claims())}",
    "very long": "a" * 6_000,
}
REFUSALS = {"invalid-jwt", "jwt-invalid-claims", "jwt-missing-role-claims", "invalid-headers", "access-denied"}


@pytest.fixture
async def address() -> AsyncIterator[str]:
    configuration = JwtConfiguration.parse(orjson.dumps({"type": "HS256", "key": KEY}).decode())
    async with serving(FakeService(Authenticator(tokens=[TokenVerifier(configuration)], unauthorized_role="anonymous"))) as found:
        yield found


def test_there_are_many_kinds() -> None:
    assert len(BAD) >= 58 + len(TIMES)


async def test_each_is_refused_over_http(address: str, caplog: pytest.LogCaptureFixture) -> None:
    """Never as the anonymous role either: a bad token is no absent one."""
    async with httpx2.AsyncClient(base_url=f"http://{address}") as http:
        for kind, token in BAD.items():
            headers = [(b"authorization", b"Bearer " + token.encode())]
            answer = await http.post("/v1/graphql", json={"query": "query q"}, headers=headers)
            assert answer.status_code == 200, kind
            assert code_in(answer.json(), kind) in REFUSALS, kind
        for kind, token in GOOD.items():
            answer = await http.post("/v1/graphql", json={"query": "query q"}, headers={"authorization": f"Bearer {token}"})
            assert answer.json()["data"]["role"] == "user", kind
    assert [record for record in caplog.records if record.exc_info] == []


async def test_each_is_refused_on_a_websocket(address: str, caplog: pytest.LogCaptureFixture) -> None:
    for kind, token in BAD.items():
        async with websocket(address) as client:
            await client.send(type="connection_init", payload={"headers": {"Authorization": f"Bearer {token}"}})
            assert (await client.closed())[0] == 4403, kind
    for token in GOOD.values():
        async with websocket(address) as client:
            await client.init({"Authorization": f"Bearer {token}"})
    assert [record for record in caplog.records if record.exc_info] == []


async def test_each_is_refused_with_the_upgrade(address: str) -> None:
    """Where a token is in the upgrade itself, it is looked at with `connection_init`."""
    for kind in ("exp: beyond a float", "a claim in two spellings", "a deep header", "dots"):
        try:
            async with websocket(address, additional_headers={"authorization": f"Bearer {BAD[kind]}"}) as client:
                await client.send(type="connection_init")
                assert (await client.closed())[0] == 4403, kind
        except (InvalidHandshake, InvalidMessage):
            # The server takes no header of that size.
            assert kind.startswith("a deep")
