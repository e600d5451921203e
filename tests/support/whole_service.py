"""The whole service as its clients meet it: HTTP and websockets over a real database, with LiveKit's rooms behind it."""

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2
import jwt
import orjson

from app.asgi import create_app
from app.settings import Settings
from devstack.livekit_simulator import Simulator, application
from devstack.livekit_simulator.clock import SimulatorClock
from devstack.ports import free_port
from tests.livekit.serving import serving
from tests.support.refusals import code_in

JWT_SECRET = "0123456789abcdef0123456789abcdef"
ADMIN_SECRET = "open sesame"
KEY, SECRET = "nchat", "a-secret-for-tests-only-0123456789abcdef"
WEBHOOKS = "/api/webhooks/livekit"


def settings(database_url: str, livekit_url: str, **more: object) -> Settings:
    """As a deployment has them, with rates that no test reaches."""
    given: dict[str, Any] = {
        "database_url": database_url,
        "jwt_secret": orjson.dumps({"type": "HS256", "key": JWT_SECRET}).decode(),
        "admin_secret": ADMIN_SECRET,
        "unauthorized_role": "anonymous",
        "livekit_url": livekit_url,
        "livekit_api_key": KEY,
        "livekit_api_secret": SECRET,
        "rate_limit_initiate": "10000/minute",
        "rate_limit_token": "10000/minute",
        "log_level": "error",
    }
    return Settings(**given | more)


def bearer(user_id: UUID | None, role: str = "user") -> dict[str, str]:
    """The headers of a person; None is a token of that role without a person."""
    claims = {"x-hasura-allowed-roles": [role], "x-hasura-default-role": role}
    claims |= {} if user_id is None else {"x-hasura-user-id": str(user_id)}
    token = jwt.encode({"exp": int(time.time()) + 3600, "https://hasura.io/jwt/claims": claims}, JWT_SECRET, algorithm="HS256")
    return {"authorization": f"Bearer {token}"}


class Refused(AssertionError):
    """A response that is an error where data was expected."""

    def __init__(self, query: str, answer: Any) -> None:
        super().__init__(f"{query}\nthe answer: {answer}")
        self.code = code_in(answer, query)


@dataclass(frozen=True, slots=True)
class Caller:
    """Someone with these headers at one service."""

    http: httpx2.AsyncClient
    headers: Mapping[str, str]

    async def post(self, query: str, variables: Mapping[str, object] | None = None) -> httpx2.Response:
        body = {"query": query, "variables": variables or {}}
        return await self.http.post("/v1/graphql", json=body, headers=dict(self.headers))

    async def data(self, query: str, variables: Mapping[str, object] | None = None) -> Any:
        """The data of a response without errors; raises Refused."""
        answer = (await self.post(query, variables)).json()
        if "errors" in answer:
            raise Refused(query, answer)
        return answer["data"]

    async def refusal(self, query: str, variables: Mapping[str, object] | None = None) -> str:
        """The code of a response that is nothing but one error."""
        return code_in((await self.post(query, variables)).json(), query)

    async def act(self, name: str, answer: str = "callId", /, **fields: object) -> Any:
        """The payload of an action; raises Refused."""
        return (await self.data(*action(name, answer, fields)))[name]


def action(name: str, answer: str, fields: Mapping[str, object]) -> tuple[str, dict[str, object]]:
    """The document and variables of one call action."""
    return f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {answer} }} }}", {"input": fields}


@dataclass(frozen=True, slots=True)
class WholeService:
    http: httpx2.AsyncClient
    address: str

    def person(self, user_id: UUID, role: str = "user") -> Caller:
        return Caller(self.http, bearer(user_id, role))

    def nobody(self) -> Caller:
        """Who sends no token."""
        return Caller(self.http, {})

    def admin(self, user_id: UUID | None = None) -> Caller:
        """Who knows the admin secret."""
        person = {} if user_id is None else {"x-hasura-user-id": str(user_id)}
        return Caller(self.http, {"x-hasura-admin-secret": ADMIN_SECRET} | person)


@asynccontextmanager
async def whole_service(database_url: str, livekit_url: str, *, port: int = 0, **more: object) -> AsyncIterator[WholeService]:
    """The service in this process, on a port of its own."""
    app = create_app(settings(database_url, livekit_url, **more))
    async with serving(app, port) as url, httpx2.AsyncClient(base_url=url, timeout=30) as http:
        yield WholeService(http, url.removeprefix("http://"))


@asynccontextmanager
async def simulated(webhook_port: int | None, clock: SimulatorClock | None = None) -> AsyncIterator[tuple[Simulator, str]]:
    """A LiveKit simulator in this process, and its URL; None sends no webhooks."""
    webhook_url = None if webhook_port is None else f"http://127.0.0.1:{webhook_port}{WEBHOOKS}"
    simulator = Simulator(api_key=KEY, api_secret=SECRET, webhook_url=webhook_url, clock=clock)
    async with serving(application(simulator)) as url:
        yield simulator, url


@asynccontextmanager
async def service_and_simulator(database_url: str, **more: object) -> AsyncIterator[tuple[WholeService, Simulator]]:
    """The service with the simulator, which tells it what happens in the rooms."""
    port = free_port()
    async with AsyncExitStack() as stack:
        simulator, url = await stack.enter_async_context(simulated(port))
        yield await stack.enter_async_context(whole_service(database_url, url, port=port, **more)), simulator
