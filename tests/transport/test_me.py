"""The query `me`: what a token says, for whoever asks, and the person as that caller may see them."""

import time
from datetime import UTC, datetime
from typing import Any

import asyncpg
import jwt
import pytest

from permissions.session import USER_ID
from tests.support.refusals import code_in
from tests.transport.test_service import ALICE, MALLORY, SECRET, Asker, asking, settings

pytestmark = pytest.mark.anyio

ME = "{ me { userId role allowedRoles expiresAt user { id username } } }"
ADMIN = {"x-hasura-admin-secret": "open sesame"}
NOBODY = {"userId": None, "expiresAt": None, "user": None}


def token(user_id: str | None, *roles: str, exp: float | None = None) -> dict[str, str]:
    """The headers of a token whose default is the first of the roles."""
    claims: dict[str, Any] = {"x-hasura-allowed-roles": list(roles), "x-hasura-default-role": roles[0]}
    claims |= {} if user_id is None else {USER_ID: user_id}
    ends = {} if exp is None else {"exp": exp}
    return {"authorization": f"Bearer {jwt.encode({**ends, 'https://hasura.io/jwt/claims': claims}, SECRET, algorithm='HS256')}"}


async def me(ask: Asker, headers: dict[str, str] | None = None) -> Any:
    return (await ask(ME, headers))["data"]["me"]


async def test_what_a_token_says(demo_database_url: str) -> None:
    exp = int(time.time()) + 600
    mine = {"userId": ALICE, "allowedRoles": ["moderator", "user"], "user": {"id": ALICE, "username": "alice"}}
    async with asking(settings(demo_database_url)) as ask:
        given = token(ALICE, "user", "moderator", exp=exp)
        said = await me(ask, given)
        assert datetime.fromisoformat(said.pop("expiresAt")) == datetime.fromtimestamp(exp, UTC)
        assert said == mine | {"role": "user"}
        assert (await me(ask, given | {"x-hasura-role": "moderator"}))["role"] == "moderator"
        assert await me(ask, token(ALICE, "user", "moderator")) == mine | {"role": "user", "expiresAt": None}
        # A second that no calendar holds.
        assert (await me(ask, token(ALICE, "user", exp=2.0**53)))["expiresAt"] is None


async def test_whoever_has_no_token_asks_as_well(demo_database_url: str) -> None:
    async with asking(settings(demo_database_url)) as ask:
        assert await me(ask) == NOBODY | {"role": "anonymous", "allowedRoles": ["anonymous"]}
        # What a stranger writes into a header is no identity.
        assert await me(ask, {USER_ID: ALICE}) == await me(ask)
        assert await me(ask, ADMIN) == NOBODY | {"role": "admin", "allowedRoles": ["admin"]}
        as_alice = await me(ask, ADMIN | {"x-hasura-role": "user", USER_ID: ALICE})
        assert (as_alice["role"], as_alice["user"]["username"]) == ("user", "alice")


async def test_the_person_is_what_the_caller_may_see(demo_database_url: str) -> None:
    absent = ALICE[:-1] + "9"
    async with asking(settings(demo_database_url)) as ask:
        database = await asyncpg.connect(demo_database_url)
        before = await database.fetch("SELECT * FROM nchat_users ORDER BY id")
        for user_id, roles, username in (
            (absent, ["user"], None),
            (MALLORY, ["user"], "mallory"),
            # The role anonymous sees the people of public streams, whoever asks.
            (MALLORY, ["anonymous"], None),
        ):
            said = await me(ask, token(user_id, *roles))
            assert (said["userId"], said["user"] and said["user"]["username"]) == (user_id, username)
        secret = "{ me { user { email } } }"
        assert code_in(await ask(secret, token(ALICE, "user")), secret) == "validation-failed"
        assert code_in(await ask(ME, token("no-uuid", "user")), ME) == "invalid-input"
        assert code_in(await ask(ME, token(ALICE, "user", exp=time.time() - 5)), ME) == "invalid-jwt"
        assert await database.fetch("SELECT * FROM nchat_users ORDER BY id") == before
        await database.close()
