"""Log lines: one JSON object each, marked with request and role, without anything secret."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Literal

import asyncpg
import orjson
import pytest
import structlog
from starlette.types import Message

from app.auth import Authenticator
from app.telemetry.log_context import RequestIds, RequestMark, current
from app.telemetry.logs import configure_logs
from resolvers.sql.database import DatabaseError
from tests.transport.fakes import FakeService


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


def test_lines_of_ours_and_of_libraries_have_one_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    mark = current.set(RequestMark("r-1", "user"))
    structlog.get_logger("ours").info("call_started", seconds=2)
    logging.getLogger("theirs").warning("careful %s", "now")
    logging.getLogger("theirs").debug("unseen")
    logging.getLogger("uvicorn.access").info("GET /v1/graphql?token=secret")
    current.reset(mark)
    structlog.get_logger("ours").info("later")
    ours, theirs, later = (orjson.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (ours["event"], ours["seconds"], ours["request_id"], ours["role"]) == ("call_started", 2, "r-1", "user")
    assert (theirs["event"], theirs["level"], theirs["request_id"]) == ("careful now", "warning", "r-1")
    assert "request_id" not in later


def test_what_libraries_attach_stays_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    logging.getLogger("aiohttp.client").warning("no answer", extra={"url": "https://user:secret@host"})
    (line,) = (orjson.loads(line) for line in capsys.readouterr().err.splitlines())
    assert line.keys() == {"event", "level", "logger", "timestamp"}


@pytest.mark.anyio
async def test_a_line_before_the_handshake_names_its_connection_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("info", "json")
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"origin", b"https://evil.example"), (b"host", b"chat.example"), (b"x-request-id", b"r-7")]
    await FakeService(Authenticator(admin_secrets=["s"]))({"type": "websocket", "headers": headers, "subprotocols": []}, receive, send)
    (line,) = (orjson.loads(line) for line in capsys.readouterr().err.splitlines())
    assert (line["event"], line["request_id"]) == ("websocket_origin_refused", "r-7")
    assert sent == [{"type": "websocket.close"}]
    assert current.get() is None


SECRET = "a-secret-that-nobody-shows"
FORMS: list[Literal["json", "console"]] = ["json", "console"]


def fails(message: str) -> None:
    # In whatever form: a local variable is not shown because it looks harmless.
    _, headers = SECRET.upper(), {"authorization": f"Bearer {SECRET}", "x-hasura-admin-secret": SECRET}
    raise RuntimeError(message.format(headers=headers))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("message", ["no", "refused with {headers}", f"postgresql://nchat:{SECRET}@host/db", f"Bearer {SECRET}"])
def test_a_traceback_has_files_and_lines_and_no_secret(
    form: Literal["json", "console"], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("info", form)
    try:
        fails(message)
    except RuntimeError:
        structlog.get_logger("ours").exception("unheard_of")
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    text = capsys.readouterr().err
    assert text.count("in fails") == 2
    assert SECRET not in text
    assert SECRET.upper() not in text


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("said", "left"),
    [
        (f"Authorization: Bearer {SECRET}", "Authorization: Bearer [hidden]"),
        ("signed eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln by", "signed [hidden] by"),
        (f"(b'x-hasura-admin-secret', b'{SECRET}')", "(b'x-hasura-admin-secret', b'[hidden]')"),
        (f"redis://:{SECRET}@host:6379/0", "redis://:[hidden]@host:6379/0"),
        (
            "/media/part/00000000-0000-4000-8000-000000000001/1790000000.user.-.c2lnbmF0dXJlLW9mLTE2LWI/0/s.ts",
            "/media/part/00000000-0000-4000-8000-000000000001/[hidden]/0/s.ts",
        ),
        (
            "/calls/00000000-0000-4000-8000-000000000001.ics?link=1790000000.user.-.c2lnbmF0dXJlLW9mLTE2LWI",
            "/calls/00000000-0000-4000-8000-000000000001.ics?link=[hidden]",
        ),
        *(
            (f"{page}?link=1790000000.user.-.c2lnbmF0dXJlLW9mLTE2LWI", f"{page}?link=[hidden]")
            for page in (f"/embed/00000000-0000-4000-8000-000000000001{below}" for below in ("", "/showing"))
        ),
        ("https://s3/a?X-Amz-Expires=9&X-Amz-Signature=0a1b2c", "https://s3/a?X-Amz-Expires=9&X-Amz-Signature=[hidden]"),
        ("with 'x-nchat-link-key': 'abcdef'}", "with 'x-nchat-link-key': '[hidden]'}"),
        ("http://host:8000/path?at=12:30", "http://host:8000/path?at=12:30"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(
    form: Literal["json", "console"], said: str, left: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("info", form)
    logging.getLogger("theirs").warning(said)
    assert left in capsys.readouterr().err


AWAY = [
    asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation"),
    asyncpg.DiskFullError("could not extend file"),
    ConnectionRefusedError(),
    asyncio.CancelledError(),
    ExceptionGroup("two", [TimeoutError(), DatabaseError("57P03", "starting up")]),
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("failure", AWAY, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("logger", ["pgqueuer", "asyncio", "uvicorn.error", "sqlalchemy.pool"])
def test_a_server_that_is_away_is_one_line_of_every_library(
    form: Literal["json", "console"], failure: BaseException, logger: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("info", form)
    logging.getLogger(logger).error("Failed to update\nof a task", exc_info=failure)
    (line,) = capsys.readouterr().err.splitlines()
    assert "Failed to update" in line
    assert type(failure).__name__ in line or "TimeoutError" in line


def test_text_for_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("warning", "console")
    structlog.get_logger("ours").info("unseen")
    structlog.get_logger("ours").warning("seen")
    text = capsys.readouterr().err
    assert "seen" in text
    assert "unseen" not in text


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, "line\nbreak", "é"])
def test_a_request_id_that_could_forge_a_line_is_replaced(given: str) -> None:
    ids = RequestIds()
    assert ids.of(given) != given
    assert ids.of(given) != ids.of(given)
