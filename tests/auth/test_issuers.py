"""Several secrets: each token goes to the one of its issuer, and no other key opens it."""

import time
from typing import Any

import jwt
import orjson
import pytest

from app.auth import Authenticator, JwtConfiguration
from app.auth.verifier import TokenVerifier
from app.settings import ConfigurationError
from permissions.errors import GraphQLRefusal

pytestmark = pytest.mark.anyio

OURS, THEIRS = "0" * 32, "1" * 32
CLAIMS = {"x-hasura-allowed-roles": ["user"], "x-hasura-default-role": "user"}
NOT_IN_ISSUER = ("invalid-jwt", "Could not verify JWT: JWTNotInIssuer")


def who(*secrets: dict[str, Any], unauthorized_role: str | None = None) -> Authenticator:
    configurations = JwtConfiguration.parse_list(orjson.dumps([{"type": "HS256"} | one for one in secrets]).decode())
    return Authenticator(tokens=[TokenVerifier(one) for one in configurations], unauthorized_role=unauthorized_role)


def token(key: str, issuer: str | None = None, user: str = "1") -> str:
    payload = {"exp": int(time.time()) + 60, "https://hasura.io/jwt/claims": CLAIMS | {"x-hasura-user-id": user}}
    return jwt.encode(payload | ({} if issuer is None else {"iss": issuer}), key, algorithm="HS256")


def bearer(text: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"}


async def user(asked: Authenticator, headers: dict[str, str]) -> str:
    return (await asked.authenticate(headers)).variables["x-hasura-user-id"]


async def refused(asked: Authenticator, headers: dict[str, str]) -> tuple[str, str]:
    with pytest.raises(GraphQLRefusal) as caught:
        await asked.authenticate(headers)
    return caught.value.code, caught.value.message


async def test_each_token_is_verified_by_the_secret_of_its_issuer() -> None:
    both = who({"key": OURS, "issuer": "us"}, {"key": THEIRS, "issuer": "them"})
    for _ in range(2):  # the second time it is known
        assert await user(both, bearer(token(OURS, "us", "7"))) == "7"
        assert await user(both, bearer(token(THEIRS, "them", "8"))) == "8"
    assert await refused(both, bearer(token(THEIRS, "us"))) == ("invalid-jwt", "Could not verify JWT: JWSError JWSInvalidSignature")
    assert await refused(both, bearer(token(OURS, "nobody"))) == NOT_IN_ISSUER


async def test_a_token_that_might_be_of_both_is_refused() -> None:
    ambiguous = ("invalid-headers", "Could not verify JWT: Multiple JWTs found")
    assert await refused(who({"key": OURS, "issuer": "us"}, {"key": THEIRS, "issuer": "them"}), bearer(token(OURS))) == ambiguous
    assert await refused(who({"key": OURS}, {"key": THEIRS}), bearer(token(OURS, "us"))) == ambiguous


async def test_a_secret_without_an_issuer_takes_what_the_others_do_not() -> None:
    both = who({"key": OURS, "issuer": "us"}, {"key": THEIRS})
    assert await user(both, bearer(token(THEIRS, "them", "9"))) == "9"
    assert (await refused(both, bearer(token(OURS, "us"))))[1] == "Could not verify JWT: Multiple JWTs found"


async def test_tokens_in_different_places() -> None:
    both = who({"key": OURS}, {"key": THEIRS, "header": {"type": "Cookie", "name": "s"}}, unauthorized_role="guest")
    assert await user(both, bearer(token(OURS, user="7"))) == "7"
    assert await user(both, {"cookie": f"s={token(THEIRS, user='8')}"}) == "8"
    assert (await both.authenticate({})).role == "guest"
    assert (await refused(both, {**bearer(token(OURS)), "cookie": f"s={token(THEIRS)}"}))[0] == "invalid-headers"
    assert (await refused(both, {"cookie": f"s={token(OURS)}"}))[0] == "invalid-jwt"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "NCHAT_JWT_SECRETS is not a list"),
        ("[]", "NCHAT_JWT_SECRETS is not a list"),
        ("[", "NCHAT_JWT_SECRETS can't be read"),
        ('["a"]', r"NCHAT_JWT_SECRETS\[0\] can't be read"),
        (f'[{{"type":"HS256","key":"{OURS}"}},{{"type":"HS256"}}]', r"NCHAT_JWT_SECRETS\[1\] needs exactly one"),
        (f'[{{"type":"HS256","key":"{OURS}","key":"x"}}]', "given twice"),
    ],
)
async def test_a_list_that_can_not_be_meant(text: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        JwtConfiguration.parse_list(text)
