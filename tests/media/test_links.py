"""Links are signed in SQL and read in Python: both must mean the same, and nobody else may sign."""

import re
import time
from uuid import UUID, uuid4

import orjson
import pytest

from app.auth import Authenticator
from app.media.links import Bearer, LinkKey, link_additions
from app.settings import Settings
from permissions.session import USER_ID, Session
from tests.support.domain_setup import ALICE, Setup

pytestmark = pytest.mark.anyio
KEY = "0123456789abcdef0123456789abcdef"
LINK = re.compile(r"https://nchat\.example/media/(?P<kind>[a-z-]+)/(?P<id>[0-9a-f-]{36})/(?P<token>\S+)")
MAKE = "SELECT nchat_media_link($1::json, $2, $3, 'x-nchat-link-expiry')"


def settings(**more: object) -> Settings:
    return Settings(**{"public_url": "https://nchat.example", "link_key": KEY, **more})  # type: ignore[arg-type]


def session(role: str = "user", user: str | None = str(ALICE), **more: object) -> Session:
    person = {} if user is None else {USER_ID: user}
    return Session(role, {"x-hasura-role": role, **person}, additions=link_additions(settings(**more)))


async def made(on: Setup, asking: Session, kind: str = "recording", id: UUID | None = None) -> str | None:
    link: str | None = await on.database.fetchval(MAKE, asking.as_argument(), kind, id or uuid4())
    return link


@pytest.mark.parametrize(
    ("role", "user"),
    [("user", str(ALICE)), ("moderator", "ABCDEF01-0000-4000-8000-0000000000FF"), ("admin", None), ("own_role-1", str(ALICE))],
)
async def test_what_postgresql_signs_is_read_here(on: Setup, role: str, user: str | None) -> None:
    id, key = uuid4(), LinkKey.of(settings())
    found = LINK.fullmatch(await made(on, session(role, user), "part-playlist", id) or "")
    assert found is not None and key is not None
    assert (found["kind"], found["id"]) == ("part-playlist", str(id))
    bearer = key.read("part-playlist", id, found["token"])
    assert bearer is not None and (bearer.role, bearer.user) == (role, user or "-")
    assert bearer.session().variables == {"x-hasura-role": role} | ({} if user is None else {USER_ID: user})
    assert key.sign("part-playlist", id, bearer) == found["token"]


@pytest.mark.parametrize("change", ["kind", "id", "expiry", "role", "user", "signature", "case"])
async def test_whatever_is_changed_is_no_link_any_more(on: Setup, change: str) -> None:
    id, key = uuid4(), LinkKey.of(settings())
    found = LINK.fullmatch(await made(on, session(), "recording", id) or "")
    assert found is not None and key is not None
    expiry, role, user, signature = found["token"].split(".")
    other = {
        "kind": ("part", id, found["token"]),
        "id": ("recording", uuid4(), found["token"]),
        "expiry": ("recording", id, f"{int(expiry) + 300}.{role}.{user}.{signature}"),
        "role": ("recording", id, f"{expiry}.moderator.{user}.{signature}"),
        "user": ("recording", id, f"{expiry}.{role}.{uuid4()}.{signature}"),
        "signature": ("recording", id, f"{expiry}.{role}.{user}.{'A' * 22}"),
        "case": ("recording", id, f"{expiry}.{role}.{user}.{signature.swapcase()}"),
    }
    assert key.read("recording", id, found["token"]) is not None
    assert key.read(*other[change]) is None
    assert LinkKey(b"another secret").read("recording", id, found["token"]) is None


@pytest.mark.parametrize("seconds", [900, 43_200, 60])
async def test_a_life_ends_on_a_full_step(on: Setup, seconds: int) -> None:
    before = time.time()
    link = await made(on, session(media_link_ttl=seconds))
    expiry, step = int((link or "").rpartition("/")[2].partition(".")[0]), min(seconds, 300)
    assert expiry % step == 0
    assert before + seconds <= expiry <= time.time() + seconds + step
    assert await made(on, session(media_link_ttl=seconds)) is not None


@pytest.mark.parametrize("user", ["alice", "", "1.admin.x", f"{ALICE}/../x"])
async def test_a_person_of_another_form_has_no_links(on: Setup, user: str) -> None:
    assert await made(on, session(user=user)) is None
    assert await made(on, session(role="a.b")) is None


async def test_without_a_key_there_are_no_links(on: Setup) -> None:
    bare = Settings(public_url="https://nchat.example")
    assert LinkKey.of(bare) is None
    assert await made(on, Session("user", {USER_ID: str(ALICE)}, additions=link_additions(bare))) is None


def test_the_first_encryption_key_serves_too() -> None:
    encryption = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    key, own = LinkKey.of(settings(link_key=None, encryption_keys=encryption)), LinkKey.of(settings(encryption_keys=encryption))
    bearer, id = Bearer("user", str(ALICE), 1), uuid4()
    assert key is not None and own is not None
    assert key.sign("part", id, bearer) != own.sign("part", id, bearer)


async def test_no_client_names_what_the_service_adds() -> None:
    additions = link_additions(settings())
    asks = Authenticator(admin_secrets=["open sesame"], unauthorized_role="anonymous", additions=additions)
    forged = dict.fromkeys(additions, "forged") | {"x-hasura-x-nchat-link-key": "forged"}
    for headers in (forged, forged | {"x-hasura-admin-secret": "open sesame"}):
        asking = await asks.authenticate(headers)
        told = orjson.loads(asking.as_argument())
        assert {name: told[name] for name in additions} == additions
    # A session that held such a variable all the same would not replace it.
    assert orjson.loads(Session("user", {"x-nchat-link-key": "forged"}, additions=additions).as_argument()) == additions


async def test_the_key_is_in_no_sight() -> None:
    asking = session()
    padded = asking.additions["x-nchat-link-key"]
    for shown in (repr(asking), str(asking), asking.as_json(), repr(settings()), repr(LinkKey.of(settings()))):
        assert padded not in shown and KEY not in shown
