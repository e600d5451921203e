"""Keys: each algorithm family, keys behind a URL, and settings that are mistaken."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import jwt
import orjson
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from app.auth import JwtConfiguration
from app.auth.keys.jwks import JwkSet
from app.auth.verifier import TokenVerifier
from app.settings import ConfigurationError
from permissions.errors import GraphQLRefusal

pytestmark = pytest.mark.anyio

CLAIMS = {"https://hasura.io/jwt/claims": {"x-hasura-allowed-roles": ["user"], "x-hasura-default-role": "user"}}


def configuration(**options: Any) -> JwtConfiguration:
    return JwtConfiguration.parse(orjson.dumps(options).decode())


def public_pem(private: Any) -> str:
    return str(private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode())


RSA = rsa.generate_private_key(65537, 2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()


@pytest.mark.parametrize(
    ("kind", "algorithm", "private"),
    [("RS256", "RS256", RSA), ("RS512", "RS512", RSA), ("ES256", "ES256", CURVE), ("Ed25519", "EdDSA", EDWARDS)],
)
async def test_a_public_key(kind: str, algorithm: str, private: Any) -> None:
    verifier = TokenVerifier(configuration(type=kind, key=public_pem(private)))
    assert (await verifier.verify(jwt.encode(CLAIMS, private, algorithm=algorithm))).claims.default_role == "user"


async def test_a_public_key_is_no_shared_secret() -> None:
    pem = public_pem(RSA)
    header, payload = (jwt.utils.base64url_encode(orjson.dumps(part)).decode() for part in ({"alg": "HS256", "typ": "JWT"}, CLAIMS))
    signing = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    forged = f"{header}.{payload}.{jwt.utils.base64url_encode(signing.sign(f'{header}.{payload}'.encode(), pem.encode())).decode()}"
    with pytest.raises(GraphQLRefusal, match="JWSInvalidSignature"):
        await TokenVerifier(configuration(type="RS256", key=pem)).verify(forged)


@pytest.mark.parametrize(
    "text",
    [
        "not json",
        "[]",
        "{}",
        '{"type":"HS256"}',
        '{"type":"HS256","key":"short"}',
        '{"type":"HS512","key":"0123456789abcdef0123456789abcdef"}',
        '{"type":"none","key":"0123456789abcdef0123456789abcdef"}',
        '{"type":"RS256","key":"0123456789abcdef0123456789abcdef"}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","jwk_url":"https://a"}',
        '{"jwk_url":"file:///etc/passwd"}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","audiense":"a"}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","claims_namespace":"a","claims_namespace_path":"$"}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","claims_namespace_path":"$..a"}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","claims_map":{"x-hasura-default-role":"a"}}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","allowed_skew":-1}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","claims_map":{"x-hasura-allowed-roles":{"path":"$.r"},"x-hasura-default-role":"user","X-Hasura-Default-Role":"a"}}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","claims_map":{"x-hasura-allowed-roles":{"path":"$.r"},"x-hasura-default-role":"user","user-id":"a"}}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","claims_map":{"x-hasura-allowed-roles":{"path":"$.r"},"x-hasura-default-role":"user","x-hasura-a":5}}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","claims_map":{"x-hasura-allowed-roles":{"path":"$.r"},"x-hasura-default-role":"user","x-hasura-a":null}}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","claims_map":{"x-hasura-allowed-roles":{"path":"$.r"},"x-hasura-default-role":"user","x-hasura-a":{"path":5}}}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","claims_map":{"x-hasura-allowed-roles":{"path":"$.r"},"x-hasura-default-role":"user","x-hasura-a":{"path":"$.a","defualt":"b"}}}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","claims_map":{"x-hasura-allowed-roles":{"path":"$.r"},"x-hasura-default-role":"user","x-hasura-a":{}}}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","claims_map":{"x-hasura-allowed-roles":"user","x-hasura-default-role":"user"}}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","key":"1123456789abcdef0123456789abcdef"}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","allowed_skew":NaN}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","allowed_skew":1e400}',
        '{"type":"HS256","key":"0123456789abcdef0123456789abcdef","header":{"type":"Cookie"}}',
    ],
)
async def test_a_mistaken_setting_is_said_at_the_start_without_the_key(text: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        JwtConfiguration.parse(text)
    assert str(caught.value).startswith("NCHAT_JWT_SECRET")
    assert "0123456789abcdef" not in str(caught.value)


def test_the_key_does_not_show() -> None:
    assert "0123456789" not in repr(configuration(type="HS256", key="0123456789abcdef0123456789abcdef"))


class Issuer:
    """An identity provider with a key set that rotates, fails and counts."""

    def __init__(self) -> None:
        self.keys: dict[str, Any] = {"one": RSA}
        self.fetches, self.fails, self.headers = 0, False, {"Cache-Control": "max-age=60"}

    async def answer(self, _request: web.Request) -> web.Response:
        self.fetches += 1
        if self.fails:
            return web.Response(status=503)
        return web.json_response(
            {"keys": [*(self._key(name) for name in self.keys), {"kty": "XYZ", "kid": "strange"}]}, headers=self.headers
        )

    def _key(self, name: str) -> dict[str, Any]:
        private = self.keys[name]
        family = jwt.algorithms.RSAAlgorithm if private is RSA else jwt.algorithms.ECAlgorithm
        algorithm = "RS256" if private is RSA else "ES256"
        return orjson.loads(family.to_jwk(private.public_key())) | {"kid": name, "use": "sig", "alg": algorithm}  # type: ignore[no-any-return]


@pytest.fixture
def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
def clock() -> list[float]:
    return [1000.0]


@pytest.fixture
async def keys(issuer: Issuer, clock: list[float]) -> AsyncIterator[JwkSet]:
    app = web.Application()
    app.router.add_get("/keys", issuer.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with aiohttp.ClientSession() as http:
        found = JwkSet(f"http://127.0.0.1:{port}/keys", http, clock=lambda: clock[0])
        yield found
        await found.close()
    await runner.cleanup()


def verifier(keys: JwkSet) -> TokenVerifier:
    return TokenVerifier(configuration(jwk_url="https://issuer.example/keys"), keys)


def signed(kid: str, private: Any = RSA, algorithm: str = "RS256", **more: Any) -> str:
    return jwt.encode(CLAIMS | {"exp": int(time.time()) + 60} | more, private, algorithm=algorithm, headers={"kid": kid})


async def test_many_tokens_at_once_are_one_fetch(issuer: Issuer, keys: JwkSet) -> None:
    who = verifier(keys)
    await asyncio.gather(*(who.verify(signed("one", n=number)) for number in range(50)))
    assert issuer.fetches == 1


async def test_a_new_key_is_found_and_an_old_one_forgotten(issuer: Issuer, keys: JwkSet, clock: list[float]) -> None:
    who = verifier(keys)
    await who.verify(signed("one"))
    issuer.keys = {"two": CURVE}
    clock[0] += 10
    assert (await who.verify(signed("two", CURVE, "ES256"))).claims.default_role == "user"
    with pytest.raises(GraphQLRefusal, match="Could not verify JWT"):
        await who.verify(signed("one", n=1))


async def test_unknown_key_ids_do_not_flood_the_issuer(issuer: Issuer, keys: JwkSet) -> None:
    who = verifier(keys)
    await who.verify(signed("one"))
    for number in range(20):
        with pytest.raises(GraphQLRefusal, match="Could not verify JWT"):
            await who.verify(signed(f"unknown-{number}"))
    assert issuer.fetches == 1


async def test_known_keys_serve_while_the_issuer_is_down(issuer: Issuer, keys: JwkSet, clock: list[float]) -> None:
    who = verifier(keys)
    await who.verify(signed("one"))
    issuer.fails = True
    clock[0] += 3600
    assert (await who.verify(signed("one", n=1))).claims.default_role == "user"


async def test_an_issuer_that_never_answered(issuer: Issuer, keys: JwkSet, clock: list[float]) -> None:
    issuer.fails = True
    with pytest.raises(GraphQLRefusal, match="JWK set not available"):
        await verifier(keys).verify(signed("one"))
    issuer.fails = False
    clock[0] += 10
    assert (await verifier(keys).verify(signed("one"))).claims.default_role == "user"


async def test_a_shared_secret_algorithm_is_refused_with_keys_of_a_url(keys: JwkSet) -> None:
    forged = jwt.encode(CLAIMS, "0123456789abcdef0123456789abcdef", algorithm="HS256", headers={"kid": "one"})
    with pytest.raises(GraphQLRefusal, match="JWSInvalidSignature"):
        await verifier(keys).verify(forged)
