"""JWK sets as issuers publish them: without ids, with several keys of one id, with keys that are none, or no set at all."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import orjson
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from app.auth import JwtConfiguration
from app.auth.keys.jwks import MAX_BYTES, JwkSet
from app.auth.verifier import TokenVerifier
from app.telemetry.log_context import RequestMark, add_mark, marked
from permissions.errors import GraphQLRefusal

pytestmark = pytest.mark.anyio

CLAIMS = {"https://hasura.io/jwt/claims": {"x-hasura-allowed-roles": ["user"], "x-hasura-default-role": "user"}}
RSA, OTHER_RSA = rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)
CURVE, EDWARDS = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()


def published(private: Any, **more: Any) -> dict[str, Any]:
    """A public key as a set shows it, without an id and without an algorithm."""
    families = {rsa.RSAPrivateKey: RSAAlgorithm, ec.EllipticCurvePrivateKey: ECAlgorithm, ed25519.Ed25519PrivateKey: OKPAlgorithm}
    family: Any = next(family for kind, family in families.items() if isinstance(private, kind))
    raw: dict[str, Any] = orjson.loads(family.to_jwk(private.public_key()))
    raw.pop("key_ops", None)
    return raw | more


def signed(private: Any, algorithm: str, key_id: str | None = None, **more: Any) -> str:
    headers = {} if key_id is None else {"kid": key_id}
    return jwt.encode(CLAIMS | {"exp": int(time.time()) + 60} | more, private, algorithm=algorithm, headers=headers)


class Issuer:
    """Answers with these bytes, in so many pieces."""

    def __init__(self) -> None:
        self.body, self.pieces, self.fetches = b"", 1, 0

    def publish(self, *keys: object) -> None:
        self.body = orjson.dumps({"keys": keys})

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.fetches += 1
        response = web.StreamResponse()
        await response.prepare(request)
        size = max(1, len(self.body) // self.pieces)
        for begin in range(0, len(self.body), size):
            await response.write(self.body[begin : begin + size])
        return response


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
async def who(issuer: Issuer, clock: list[float]) -> AsyncIterator[TokenVerifier]:
    app = web.Application()
    app.router.add_get("/keys", issuer.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    async with aiohttp.ClientSession() as http:
        keys = JwkSet(f"http://127.0.0.1:{runner.addresses[0][1]}/keys", http, clock=lambda: clock[0])
        yield TokenVerifier(JwtConfiguration.parse('{"jwk_url":"https://issuer.example/keys"}'), keys)
        await keys.close()
    await runner.cleanup()


async def is_trusted(who: TokenVerifier, token: str) -> bool:
    try:
        await who.verify(token)
    except GraphQLRefusal as refused:
        assert refused.code == "invalid-jwt"
        return False
    return True


NO_SETS = [
    b"",
    b"[]",
    b"null",
    b"5",
    b"{}",
    b"<html>",
    b"\xff\xfe",
    b'{"keys": null}',
    b'{"keys": {}}',
    b'{"keys": []}',
    b'{"keys": [null, 5, "a", [], {}]}',
    b'{"keys": [{"kty": 5}, {"kty": []}, {"kty": "RSA"}, {"kty": "RSA", "n": 5, "e": "AQAB"}, {"kty": "RSA", "n": "!", "e": ""}]}',
    b'{"keys": [{"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"}, {"kty": "EC", "crv": 5}, {"kty": "OKP", "crv": "X25519", "x": ""}]}',
    b'{"keys": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    b'{"keys": [' + b" " * MAX_BYTES + b"]}",
]


@pytest.mark.parametrize("body", NO_SETS, ids=lambda body: body[:40].decode("latin-1"))
async def test_what_is_no_set_leaves_the_known_keys(issuer: Issuer, who: TokenVerifier, clock: list[float], body: bytes) -> None:
    issuer.body = body
    with pytest.raises(GraphQLRefusal, match="JWK set not available"):
        await who.verify(signed(RSA, "RS256", "one"))
    clock[0] += 10
    issuer.publish(published(RSA, kid="one"))
    assert await is_trusted(who, signed(RSA, "RS256", "one"))
    clock[0] += 10
    issuer.body = body
    assert not await is_trusted(who, signed(RSA, "RS256", "two"))
    assert await is_trusted(who, signed(RSA, "RS256", "one", n=1))


async def test_a_token_without_an_id_is_tried_with_every_fitting_key(issuer: Issuer, who: TokenVerifier) -> None:
    issuer.publish(published(CURVE, kid="c"), published(OTHER_RSA, kid="a"), published(RSA, kid="b"), published(EDWARDS))
    for private, algorithm in ((RSA, "RS256"), (OTHER_RSA, "RS256"), (CURVE, "ES256"), (EDWARDS, "EdDSA")):
        assert await is_trusted(who, signed(private, algorithm))
    assert not await is_trusted(who, signed(rsa.generate_private_key(65537, 2048), "RS256"))


async def test_a_key_without_an_id_is_tried_for_every_token(issuer: Issuer, who: TokenVerifier) -> None:
    issuer.publish(published(RSA), published(OTHER_RSA, kid="other"))
    assert await is_trusted(who, signed(RSA, "RS256", "whatever"))
    assert not await is_trusted(who, signed(OTHER_RSA, "RS256", "whatever"))
    assert await is_trusted(who, signed(OTHER_RSA, "RS256", "other"))


async def test_a_key_that_is_named_is_the_only_one(issuer: Issuer, who: TokenVerifier) -> None:
    issuer.publish(published(RSA, kid="one"), published(OTHER_RSA, kid="two"), published(CURVE, kid="one"))
    assert not await is_trusted(who, signed(OTHER_RSA, "RS256", "one"))
    assert await is_trusted(who, signed(RSA, "RS256", "one"))
    assert await is_trusted(who, signed(CURVE, "ES256", "one"))


async def test_a_key_serves_its_own_algorithms_only(issuer: Issuer, who: TokenVerifier) -> None:
    issuer.publish(published(RSA, kid="any"), published(OTHER_RSA, kid="one", alg="RS256"))
    assert await is_trusted(who, signed(RSA, "RS512", "any"))
    assert await is_trusted(who, signed(OTHER_RSA, "RS256", "one"))
    assert not await is_trusted(who, signed(OTHER_RSA, "RS512", "one"))


@pytest.mark.parametrize(
    "more", [{"use": "enc"}, {"key_ops": ["encrypt"]}, {"key_ops": 5}, {"alg": "RSA-OAEP"}, {"alg": 5}, {"kid": 5}, {"d": "AQAB"}]
)
async def test_a_key_for_something_else_is_none(issuer: Issuer, who: TokenVerifier, more: dict[str, Any]) -> None:
    issuer.publish(published(RSA, **more), published(CURVE))
    assert not await is_trusted(who, signed(RSA, "RS256"))
    assert await is_trusted(who, signed(CURVE, "ES256"))


async def test_a_published_secret_is_none(issuer: Issuer, who: TokenVerifier) -> None:
    issuer.publish({"kty": "oct", "k": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"}, published(CURVE))
    assert not await is_trusted(who, signed("0123456789abcdef0123456789abcdef", "HS256"))


async def test_keys_without_ids_change_too(issuer: Issuer, who: TokenVerifier, clock: list[float]) -> None:
    issuer.publish(published(RSA))
    assert await is_trusted(who, signed(RSA, "RS256"))
    issuer.publish(published(OTHER_RSA))
    clock[0] += 10
    assert await is_trusted(who, signed(OTHER_RSA, "RS256"))
    assert not await is_trusted(who, signed(RSA, "RS256", n=1))


async def test_forged_tokens_without_ids_do_not_flood_the_issuer(issuer: Issuer, who: TokenVerifier) -> None:
    issuer.publish(published(RSA))
    for number in range(20):
        assert not await is_trusted(who, signed(OTHER_RSA, "RS256", n=number))
    assert issuer.fetches == 1


async def test_a_large_set_in_many_pieces(issuer: Issuer, who: TokenVerifier) -> None:
    issuer.publish(*(published(OTHER_RSA, kid=f"old-{number}") for number in range(500)), published(RSA, kid="new"))
    issuer.pieces = 50
    assert await is_trusted(who, signed(RSA, "RS256", "new"))


async def test_a_fetch_belongs_to_no_request(issuer: Issuer, who: TokenVerifier, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for everybody who waits, so its line must not name the one who happened to be first."""
    said: list[Any] = []

    def warn(event: str, **fields: object) -> None:
        said.append(add_mark(None, "warning", {"event": event, **fields}))

    monkeypatch.setattr("app.auth.keys.jwks.log.warning", warn)
    issuer.body = b"null"
    with marked(RequestMark("r-1", "user")):
        await asyncio.gather(*(is_trusted(who, signed(RSA, "RS256", str(number))) for number in range(3)))
    assert said == [{"event": "jwk_set_not_fetched", "error": "ValueError", "keys_kept": 0}]
