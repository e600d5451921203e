"""Who asks: the order of admin secret, token and unauthorized role, with Hasura's codes and texts."""

import time
from collections.abc import Mapping
from typing import Any

import jwt
import orjson
import pytest

from app.auth import Authenticator, JwtConfiguration
from app.auth.verifier import TokenVerifier
from app.settings import ConfigurationError
from permissions.errors import GraphQLRefusal
from permissions.session import Session

pytestmark = pytest.mark.anyio

SECRET = "0123456789abcdef0123456789abcdef"
ADMIN_SECRET = "open sesame"
NAMESPACE = "https://hasura.io/jwt/claims"
ROLES: dict[str, Any] = {"x-hasura-allowed-roles": ["user", "moderator"], "x-hasura-default-role": "user"}
CLAIMS = ROLES | {"X-Hasura-User-Id": "1"}


def authenticator(admin_secret: str | None = ADMIN_SECRET, unauthorized_role: str | None = None, **options: Any) -> Authenticator:
    configuration = JwtConfiguration.parse(orjson.dumps({"type": "HS256", "key": SECRET} | options).decode())
    return Authenticator(
        admin_secrets=[] if admin_secret is None else [admin_secret],
        tokens=[TokenVerifier(configuration)],
        unauthorized_role=unauthorized_role,
    )


def token(claims: object = CLAIMS, *, key: str = SECRET, algorithm: str = "HS256", **more: Any) -> str:
    return jwt.encode({"exp": int(time.time()) + 60, NAMESPACE: claims} | more, key, algorithm=algorithm)


def bearer(text: str, **headers: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}"} | {name.replace("_", "-"): value for name, value in headers.items()}


async def refused(who: Authenticator, headers: Mapping[str, str]) -> tuple[str, str]:
    with pytest.raises(GraphQLRefusal) as caught:
        await who.authenticate(headers)
    assert caught.value.path == "$"
    return caught.value.code, caught.value.message


async def test_without_any_secret_everybody_is_trusted() -> None:
    open_to_all = Authenticator()
    assert await open_to_all.authenticate({}) == Session("admin", {"x-hasura-role": "admin"}, trusted=True)
    session = await open_to_all.authenticate({"x-hasura-role": "user", "x-hasura-user-id": "1", "x-other": "2"})
    assert session == Session("user", {"x-hasura-role": "user", "x-hasura-user-id": "1"}, trusted=True)


async def test_the_admin_secret_trusts_the_headers() -> None:
    who = authenticator()
    session = await who.authenticate({"x-hasura-admin-secret": "open sesame", "x-hasura-role": "user", "x-hasura-user-id": "1"})
    assert session == Session("user", {"x-hasura-role": "user", "x-hasura-user-id": "1"}, trusted=True)
    assert (await who.authenticate({"x-hasura-access-key": "open sesame"})).role == "admin"


@pytest.mark.parametrize("secret", ["", "open sesam", "open sesame ", "ÿ"])
async def test_a_wrong_secret_never_falls_back(secret: str) -> None:
    who = authenticator(unauthorized_role="guest")
    expected = ("access-denied", "invalid x-hasura-admin-secret/x-hasura-access-key")
    assert await refused(who, {"x-hasura-admin-secret": secret} | bearer(token())) == expected


async def test_an_admin_secret_of_any_letters() -> None:
    who = authenticator(admin_secret="ouvre-toi, sésame")
    over_http = "ouvre-toi, sésame".encode().decode("latin-1")
    for given in (over_http, "ouvre-toi, sésame"):
        assert (await who.authenticate({"x-hasura-admin-secret": given})).role == "admin"
    for given in ("ouvre-toi, sesame", "ouvre-toi, s?same", "\ud800", ""):
        assert (await refused(who, {"x-hasura-admin-secret": given}))[0] == "access-denied"


def test_an_empty_admin_secret_is_none() -> None:
    with pytest.raises(ConfigurationError, match="NCHAT_ADMIN_SECRET is empty"):
        Authenticator(admin_secrets=[""])


async def test_the_admin_secret_wins_over_a_token() -> None:
    session = await authenticator().authenticate(bearer("nonsense", x_hasura_admin_secret="open sesame"))
    assert (session.role, session.trusted) == ("admin", True)


async def test_without_an_admin_secret_configured_none_is_right() -> None:
    who = authenticator(admin_secret=None)
    assert (await refused(who, {"x-hasura-admin-secret": ""}))[0] == "access-denied"
    assert (await who.authenticate(bearer(token()))).role == "user"


async def test_nobody() -> None:
    required = "x-hasura-admin-secret/x-hasura-access-key required, but not found"
    assert await refused(Authenticator(admin_secrets=["a"]), {"x-hasura-role": "admin"}) == ("access-denied", required)
    missing = "Missing 'Authorization' or 'Cookie' header in JWT authentication mode"
    assert await refused(authenticator(), {}) == ("invalid-headers", missing)


async def test_the_unauthorized_role_brings_nothing_of_its_own() -> None:
    session = await authenticator(unauthorized_role="guest").authenticate({"x-hasura-role": "admin", "x-hasura-user-id": "1"})
    assert session == Session("guest", {"x-hasura-role": "guest"})


async def test_a_bad_token_is_never_the_unauthorized_role() -> None:
    who = authenticator(unauthorized_role="guest")
    assert (await refused(who, bearer("nonsense")))[0] == "invalid-jwt"
    assert await refused(who, {"authorization": "Basic abc"}) == ("invalid-headers", "Malformed Authorization header")
    assert await refused(who, {"authorization": "Bearer"}) == ("invalid-headers", "Malformed Authorization header")


async def test_an_unauthorized_role_without_a_secret_is_a_mistake() -> None:
    with pytest.raises(ConfigurationError):
        Authenticator(unauthorized_role="guest")


async def test_claims_become_session_variables_and_headers_do_not() -> None:
    session = await authenticator().authenticate(bearer(token(), x_hasura_user_id="2", x_hasura_use_backend_only_permissions="true"))
    assert session.variables == {"x-hasura-user-id": "1", "x-hasura-role": "user"}
    assert (session.role, session.trusted, session.backend_only) == ("user", False, False)
    assert session.expires_at is not None
    assert session.expires_at > time.time()


async def test_the_requested_role_must_be_allowed() -> None:
    who = authenticator()
    assert (await who.authenticate(bearer(token(), x_hasura_role="moderator"))).variables["x-hasura-role"] == "moderator"
    denied = ("access-denied", "Your requested role is not in allowed roles")
    assert await refused(who, bearer(token(), x_hasura_role="admin")) == denied
    assert await refused(who, bearer(token({"x-hasura-allowed-roles": ["a"], "x-hasura-default-role": "b"}))) == denied


async def test_a_role_inside_the_claims_is_ignored() -> None:
    assert (await authenticator().authenticate(bearer(token(CLAIMS | {"x-hasura-role": "admin"})))).role == "user"


@pytest.mark.parametrize(
    ("claims", "code", "text"),
    [
        ({"x-hasura-default-role": "user"}, "jwt-missing-role-claims", "JWT claim does not contain x-hasura-allowed-roles"),
        ({"x-hasura-allowed-roles": ["user"]}, "jwt-missing-role-claims", "JWT claim does not contain x-hasura-default-role"),
        (CLAIMS | {"x-hasura-allowed-roles": "user"}, "jwt-invalid-claims", "invalid x-hasura-allowed-roles; should be a list of roles"),
        (CLAIMS | {"x-hasura-allowed-roles": [1]}, "jwt-invalid-claims", "invalid x-hasura-allowed-roles; should be a list of roles"),
        (CLAIMS | {"x-hasura-default-role": 1}, "jwt-invalid-claims", "invalid x-hasura-default-role; should be a single role name"),
        (
            CLAIMS | {"x-hasura-default-role": ""},
            "jwt-invalid-claims",
            "invalid x-hasura-default-role; should be a single role name: empty string not allowed",
        ),
        (
            CLAIMS | {"x-hasura-allowed-roles": ["user", ""]},
            "jwt-invalid-claims",
            "invalid x-hasura-allowed-roles; should be a list of roles: empty string not allowed",
        ),
        (
            CLAIMS | {"X-Hasura-User-Id": 1},
            "jwt-invalid-claims",
            "x-hasura-* claims: parsing Text failed, expected String, but",
        ),
        ("text", "jwt-invalid-claims", "expecting a json object when claims_format is json"),
    ],
)
async def test_claims_that_can_not_be_used(claims: object, code: str, text: str) -> None:
    got = await refused(authenticator(), bearer(token(claims)))
    assert got[0] == code
    assert got[1].startswith(text)


async def test_a_token_without_hasura_claims() -> None:
    got = await refused(authenticator(), bearer(jwt.encode({"sub": "1"}, SECRET, algorithm="HS256")))
    assert got == ("jwt-invalid-claims", f"claims key: '{NAMESPACE}' not found")


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"exp": int(time.time()) - 10}, "JWTExpired"),
        ({"nbf": int(time.time()) + 86_400}, "JWTNotYetValid"),
        ({"iat": int(time.time()) + 86_400}, "JWTIssuedAtFuture"),
        ({"key": "f" * 32}, "JWSError JWSInvalidSignature"),
        ({"algorithm": "HS384", "key": SECRET * 2}, "JWSError JWSInvalidSignature"),
        ({"algorithm": "none", "key": ""}, "JWSError JWSInvalidSignature"),
    ],
)
async def test_tokens_that_can_not_be_trusted(made: dict[str, Any], reason: str) -> None:
    assert await refused(authenticator(), bearer(token(**made))) == ("invalid-jwt", f"Could not verify JWT: {reason}")


@pytest.mark.parametrize("text", ["a", "a.b.c", "a.b", "....", "ä.b.c"])
async def test_what_is_no_token_at_all(text: str) -> None:
    code, message = await refused(authenticator(), bearer(text))
    assert code == "invalid-jwt"
    assert message.startswith("Could not verify JWT: JWSError (")


async def test_audience_and_issuer() -> None:
    who = authenticator(audience=["a", "b"], issuer="me")
    assert (await who.authenticate(bearer(token(aud="b", iss="me")))).role == "user"
    assert (await who.authenticate(bearer(token(aud=["x", "a"], iss="me")))).role == "user"
    for more, reason in (
        ({"aud": "x", "iss": "me"}, "JWTNotInAudience"),
        ({"iss": "me"}, "JWTNotInAudience"),
        ({"aud": "a", "iss": "you"}, "JWTNotInIssuer"),
        ({"aud": "a"}, "JWTNotInIssuer"),
    ):
        assert await refused(who, bearer(token(**more))) == ("invalid-jwt", f"Could not verify JWT: {reason}")
    assert (await authenticator().authenticate(bearer(token(aud="anything")))).role == "user"


async def test_a_skew_that_is_allowed() -> None:
    late = token(exp=int(time.time()) - 5)
    assert (await authenticator(allowed_skew=30).authenticate(bearer(late))).expires_at == pytest.approx(time.time() + 25, abs=2)


async def test_where_the_token_travels() -> None:
    cookie = authenticator(header={"type": "Cookie", "name": "session"})
    assert (await cookie.authenticate({"cookie": f"a=b; session={token()}"})).role == "user"
    assert (await refused(cookie, bearer(token())))[0] == "invalid-headers"
    custom = authenticator(header={"type": "CustomHeader", "name": "X-Token"})
    assert (await custom.authenticate({"x-token": token()})).role == "user"
    assert await refused(custom, {}) == ("invalid-headers", "Missing 'Authorization' or 'Cookie' header in JWT authentication mode")


async def test_where_the_claims_stand() -> None:
    below = authenticator(claims_namespace_path="$.app.hasura")
    assert (await below.authenticate(bearer(token(app={"hasura": CLAIMS})))).variables["x-hasura-user-id"] == "1"
    got = await refused(below, bearer(token()))
    assert got == ("jwt-invalid-claims", "claims not found at claims_namespace_path: '$.app.hasura'")
    root = authenticator(claims_namespace_path="$")
    assert (await root.authenticate(bearer(jwt.encode({"exp": int(time.time()) + 60, **CLAIMS}, SECRET)))).role == "user"
    text = authenticator(claims_format="stringified_json")
    assert (await text.authenticate(bearer(token(orjson.dumps(CLAIMS).decode())))).role == "user"
    for claims in (CLAIMS, "{", "[]"):
        assert (await refused(text, bearer(token(claims))))[0] == "jwt-invalid-claims"


async def test_a_claims_map() -> None:
    who = authenticator(
        claims_map={
            "X-Hasura-Allowed-Roles": {"path": "$.roles"},
            "x-hasura-default-role": "user",
            "x-hasura-user-id": {"path": "$.user['id']", "default": "3"},
        }
    )
    assert (await who.authenticate(bearer(token(roles=["user"], user={"id": "2"})))).variables["x-hasura-user-id"] == "2"
    assert (await who.authenticate(bearer(token(roles=["user"])))).variables["x-hasura-user-id"] == "3"
    assert await refused(who, bearer(token())) == ("jwt-missing-role-claims", "JWT claim does not contain x-hasura-allowed-roles")
    by_path = authenticator(claims_map=ROLES | {"x-hasura-default-role": {"path": "$.role"}})
    words = "invalid x-hasura-default-role; should be a role: parsing Text failed, expected String, but encountered Number"
    assert await refused(by_path, bearer(token(role=1))) == ("jwt-invalid-claims", words)
    strict = authenticator(claims_map=ROLES | {"x-hasura-user-id": {"path": "$.user.id", "default": None}})
    assert await refused(strict, bearer(token())) == ("jwt-invalid-claims", "JWT claim from claims_map, x-hasura-user-id not found")


async def test_claims_in_a_text_that_is_none() -> None:
    text = authenticator(claims_format="stringified_json")
    found = f"expecting stringified json at: 'claims_namespace {NAMESPACE}', but found: {{"
    assert await refused(text, bearer(token("{"))) == ("jwt-invalid-claims", found)
    assert (await refused(text, bearer(token(CLAIMS))))[1] == "expecting a string when claims_format is stringified_json"


@pytest.mark.parametrize(
    "claims_map",
    [
        ROLES | {"x-hasura-user-id": 1},
        ROLES | {"x-hasura-allowed-roles": "user"},
        ROLES | {"x-hasura-allowed-roles": {"path": "$.roles", "default": "user"}},
        {"x-hasura-default-role": "user"},
        ROLES | {"x-hasura-user-id": {"path": "$.a["}},
    ],
)
async def test_a_claims_map_that_can_not_be_meant(claims_map: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="NCHAT_JWT_SECRET"):
        authenticator(claims_map=claims_map)


async def test_an_empty_role_is_none() -> None:
    """As Hasura has it: the default role, and for whoever knows the admin secret `admin`."""
    assert (await authenticator().authenticate(bearer(token(), x_hasura_role=""))).role == "user"
    assert (await authenticator().authenticate({"x-hasura-admin-secret": ADMIN_SECRET, "x-hasura-role": ""})).role == "admin"


async def test_one_of_several_admin_secrets() -> None:
    who = Authenticator(admin_secrets=["old", "new"])
    for secret in ("old", "new"):
        assert (await who.authenticate({"x-hasura-admin-secret": secret})).role == "admin"
    for secret in ("", "older", "oldnew"):
        denied = ("access-denied", "invalid x-hasura-admin-secret/x-hasura-access-key")
        assert await refused(who, {"x-hasura-admin-secret": secret}) == denied


@pytest.mark.parametrize("header", ["session=", 'a=b; session=""', "session"])
async def test_an_empty_cookie_is_no_token(header: str) -> None:
    cookie = {"type": "Cookie", "name": "session"}
    assert (await refused(authenticator(header=cookie), {"cookie": header}))[0] == "invalid-headers"
    open_ = authenticator(None, "guest", header=cookie)
    session = await open_.authenticate({"cookie": header, "x-hasura-user-id": "1"})
    assert (session.role, dict(session.variables)) == ("guest", {"x-hasura-role": "guest"})
    # With a token beside it that counts; a bad one is never a guest.
    assert (await open_.authenticate({"cookie": f"session=; session={token()}"})).role == "user"
    assert (await refused(open_, {"cookie": "session=x"}))[0] == "invalid-jwt"


async def test_a_cookie_among_odd_ones() -> None:
    cookie = authenticator(header={"type": "cookie", "name": "session"})
    assert (await cookie.authenticate({"cookie": f'odd={{"a": 1}}; session={token()}; x'})).role == "user"
    assert (await refused(cookie, {"cookie": "mysession=a"}))[0] == "invalid-headers"
    twice = ("invalid-headers", "Could not verify JWT: Multiple JWTs found")
    assert await refused(cookie, {"cookie": f"session={token()}; session={token()}"}) == twice


@pytest.mark.parametrize(("text", "expected"), [("true", True), ("T", True), ("yes", True), ("no", False), ("F", False)])
async def test_backend_only_permissions_for_the_trusted(text: str, expected: bool) -> None:
    headers = {"x-hasura-admin-secret": "open sesame", "x-hasura-use-backend-only-permissions": text}
    assert (await authenticator().authenticate(headers)).backend_only is expected


async def test_a_malformed_backend_only_header() -> None:
    headers = {"x-hasura-admin-secret": "open sesame", "x-hasura-use-backend-only-permissions": "perhaps"}
    code, message = await refused(authenticator(), headers)
    assert code == "bad-request"
    values = 'True values are ["true","t","yes","y"] and  False values are ["false","f","no","n"]. All values are case insensitive'
    assert message == f"x-hasura-use-backend-only-permissions:  Not a valid boolean text. {values}"


async def test_a_token_that_was_known_still_expires() -> None:
    now = [time.time()]
    configuration = JwtConfiguration.parse(orjson.dumps({"type": "HS256", "key": SECRET}).decode())
    who = Authenticator(tokens=[TokenVerifier(configuration, clock=lambda: now[0])])
    headers = bearer(token(exp=int(now[0]) + 10))
    assert (await who.authenticate(headers)).role == "user"
    now[0] += 11
    assert await refused(who, headers) == ("invalid-jwt", "Could not verify JWT: JWTExpired")
