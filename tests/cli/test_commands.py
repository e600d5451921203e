"""The command line as a person or a script meets it: output, exit codes, sentences."""

import asyncio
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import cast

import asyncpg
import jwt
import orjson
import pytest

from app.auth import Authenticator, JwtConfiguration
from app.auth.verifier import TokenVerifier
from app.cli import main
from app.cli.status import EXIT_CODES, local_url
from app.cli.told_by_dev.facts import facts_file, facts_of, write_facts
from app.settings import Settings, environment_names, load_settings
from devstack import secrets_file
from devstack.ports import free_port

KEY = "0123456789abcdef0123456789abcdef"
ENCRYPTION_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
ALICE = "00000000-0000-4000-8000-000000000001"
CLAIMS = "https://hasura.io/jwt/claims"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for field in Settings.model_fields:
        for name in environment_names(field):
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NCHAT_DATA_DIR", str(tmp_path))


@pytest.fixture
def handlers_restored() -> Iterator[None]:
    """`dev` takes over the signals of its process."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def jwt_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCHAT_JWT_SECRET", f'{{"type": "HS256", "key": "{KEY}"}}')


def test_token_prints_one_token_and_nothing_else(jwt_secret: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "--user", ALICE, "--ttl", "60"]) == 0
    printed = capsys.readouterr()
    assert printed.err == ""
    assert printed.out.count("\n") == 1
    payload = jwt.decode(printed.out.strip(), KEY, algorithms=["HS256"])
    assert payload[CLAIMS] == {"x-hasura-default-role": "user", "x-hasura-allowed-roles": ["user"], "x-hasura-user-id": ALICE}
    assert payload["exp"] - payload["iat"] == 60


def test_token_finds_a_user_by_name(
    jwt_secret: None, monkeypatch: pytest.MonkeyPatch, demo_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NCHAT_DATABASE_URL", demo_database_url)
    assert main(["token", "--user", "mod", "--role", "moderator"]) == 0
    claims = jwt.decode(capsys.readouterr().out.strip(), KEY, algorithms=["HS256"])[CLAIMS]
    assert (claims["x-hasura-user-id"][-1], claims["x-hasura-default-role"]) == ("6", "moderator")


def test_token_of_an_unknown_user_is_refused(
    jwt_secret: None, monkeypatch: pytest.MonkeyPatch, demo_database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("NCHAT_DATABASE_URL", demo_database_url)
    assert main(["token", "--user", "nobody"]) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "nchat-rtc: no user is named 'nobody'\n")


def test_token_follows_the_configuration(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    secret = f'{{"type":"HS512","key":"{KEY * 2}","claims_format":"stringified_json","claims_namespace":"n","audience":["a"],"issuer":"i"}}'
    monkeypatch.setenv("NCHAT_JWT_SECRET", secret)
    assert main(["token", "--user", ALICE]) == 0
    payload = jwt.decode(capsys.readouterr().out.strip(), KEY * 2, algorithms=["HS512"], audience="a", issuer="i")
    assert ALICE in payload["n"]


@pytest.mark.parametrize(
    ("secret", "sentence"),
    [
        (None, "NCHAT_JWT_SECRET is not set, and no `make run` is running here"),
        ('{"jwk_url": "https://keys.example"}', "holds no shared secret"),
        (f'{{"type":"HS256","key":"{KEY}","claims_namespace_path":"$.a"}}', "places claims by path"),
        ("nonsense", "NCHAT_JWT_SECRET can't be read: not JSON"),
    ],
)
def test_token_says_why_it_can_not_sign(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], secret: str | None, sentence: str
) -> None:
    if secret is not None:
        monkeypatch.setenv("NCHAT_JWT_SECRET", secret)
    assert main(["token", "--user", ALICE]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err


def test_the_service_verifies_what_token_prints(jwt_secret: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["token", "--user", ALICE]) == 0
    token = capsys.readouterr().out.strip()
    assert token.count(".") == 2
    assert asyncio.run(_role_of(token)) == "user"


async def _role_of(token: str) -> str:
    secret = load_settings().jwt_secret
    assert secret is not None
    authenticator = Authenticator(tokens=[TokenVerifier(JwtConfiguration.parse(secret.get_secret_value()))])
    return (await authenticator.authenticate({"authorization": f"Bearer {token}"})).role


def test_facts_are_for_the_owner_and_the_environment_beats_them(jwt_secret: None, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = facts_of(load_settings(port=1234, livekit_api_secret='it\'s "quoted"', encryption_keys=(ENCRYPTION_KEY, ENCRYPTION_KEY)))
    path = write_facts(facts)
    assert path == facts_file()
    assert path.stat().st_mode & 0o777 == 0o600
    monkeypatch.delenv("NCHAT_JWT_SECRET")
    read = load_settings(path)
    assert facts_of(read) == facts
    monkeypatch.setenv("NCHAT_PORT", "4321")
    assert load_settings(path).port == 4321


def test_serve_never_reads_the_facts_of_dev(capsys: pytest.CaptureFixture[str]) -> None:
    write_facts({"NCHAT_JWT_SECRET": f'{{"type":"HS256","key":"{KEY}"}}'})
    assert main(["serve"]) == 1
    assert "without them every caller would be admin" in capsys.readouterr().err


def test_serve_refuses_metadata_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--metadata", str(tmp_path / "absent")]) == 1
    assert "there is no Hasura metadata at" in capsys.readouterr().err


def test_a_wrong_setting_is_named_and_its_value_is_not(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("NCHAT_PORT", "do-not-show")
    assert main(["status"]) == 1
    told = capsys.readouterr().err
    assert "NCHAT_PORT" in told
    assert "do-not-show" not in told


def test_status_of_nothing_says_what_to_do(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("NCHAT_PORT", "1")
    assert main(["status"]) == 1
    assert "start it with `make run`" in capsys.readouterr().err


@contextmanager
def answering(status: int, body: bytes) -> Iterator[int]:
    """A port where every request gets this answer."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Not on the terminal of the tests."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def readiness(status: str, **errors: str) -> bytes:
    checks = {name: {"ok": not error, "milliseconds": 1.0} | ({"error": error} if error else {}) for name, error in errors.items()}
    return orjson.dumps({"status": status, "version": "1.2.3", "checks": checks})


@pytest.mark.parametrize(
    ("http_status", "body", "code", "said"),
    [
        (200, readiness("ready", database=""), 0, ["ready, version 1.2.3", "database     ok"]),
        (200, readiness("degraded", livekit="MediaSilent"), 3, ["degraded", "start LiveKit, or correct NCHAT_LIVEKIT_URL"]),
        (200, readiness("degraded", livekit="MediaRefused"), 3, ["are not a key of that LiveKit"]),
        (200, readiness("degraded", disk="storage-full"), 3, ["make room on PostgreSQL's disk"]),
        (200, readiness("degraded", redis="ConnectionError"), 3, ["start Redis, or correct NCHAT_REDIS_URL"]),
        (503, readiness("unavailable", database="postgres-error"), 1, ["unavailable", "start PostgreSQL, or correct NCHAT_DATABASE_URL"]),
        (503, readiness("unavailable", migrations="NotMigrated"), 1, ["run `nchat-rtc migrate`"]),
        (503, readiness("unavailable", migrations="DatabaseIsNewer"), 1, ["belongs to a newer version"]),
    ],
)
def test_status_exits_as_its_help_says_and_tells_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], http_status: int, body: bytes, code: int, said: list[str]
) -> None:
    # A proxy of the environment is for addresses elsewhere.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with answering(http_status, body) as port:
        monkeypatch.setenv("NCHAT_PORT", str(port))
        assert main(["status"]) == code
    printed = capsys.readouterr()
    assert [text for text in said if text not in printed.out] == []
    assert printed.err == ""


def test_the_help_of_status_names_every_exit_code(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["status", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "Exit code 0: ready. 3: degraded, it serves without something. 1: unavailable, or nothing answers." in told
    assert EXIT_CODES == {"ready": 0, "degraded": 3, "unavailable": 1}


@pytest.mark.parametrize("body", [b"[]", b"{}", b"null", b"<html>", b"\xff", b'{"status": "fine", "checks": {}}', b'{"status": "ready"}'])
def test_status_of_another_program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], body: bytes) -> None:
    with answering(200, body) as port:
        monkeypatch.setenv("NCHAT_PORT", str(port))
        assert main(["status"]) == 1
    assert "is another program" in capsys.readouterr().err


def test_status_of_a_program_that_speaks_no_http(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b"-ERR unknown command\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        monkeypatch.setenv("NCHAT_PORT", str(server.getsockname()[1]))
        assert main(["status"]) == 1
        thread.join()
    assert "is another program" in capsys.readouterr().err


def test_status_of_a_service_that_hangs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("app.cli.status.PATIENCE", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("NCHAT_PORT", str(server.getsockname()[1]))
        assert main(["status"]) == 1
    assert "does not answer within 0.1 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("0.0.0.0", "http://127.0.0.1:8000"),  # noqa: S104
        ("::", "http://[::1]:8000"),
        ("::1", "http://[::1]:8000"),
        ("a.b", "http://a.b:8000"),
    ],
)
def test_where_the_service_is(host: str, url: str) -> None:
    assert local_url(load_settings(host=host)) == url


def test_migrate_twice(monkeypatch: pytest.MonkeyPatch, empty_database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "--database-url", empty_database_url]) == 0
    assert main(["migrate", "--database-url", empty_database_url]) == 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda url: re.sub(":[^:@]*@", ":wrong@", url), "refused: password authentication failed"),
        (lambda url: f"{url}_absent", "does not exist"),
        (lambda _url: "postgresql://nobody@127.0.0.1:1/nchat", "can't be reached: Connection refused"),
    ],
)
def test_migrate_says_why_it_can_not(
    empty_database_url: str, capsys: pytest.CaptureFixture[str], change: Callable[[str], str], sentence: str
) -> None:
    assert main(["migrate", "--database-url", change(empty_database_url)]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert sentence in printed.err
    assert "wrong@" not in printed.err


async def run_on(url: str, statement: str) -> str | None:
    connection = await asyncpg.connect(url)
    try:
        return cast("str | None", await connection.fetchval(statement))
    finally:
        await connection.close()


def test_tables_that_do_not_fit_are_refused_and_left_alone(empty_database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(run_on(empty_database_url, "CREATE TABLE nchat_users (id int PRIMARY KEY)"))
    assert main(["migrate", "--database-url", empty_database_url]) == 1
    assert "are of incompatible types: uuid and integer.\nNothing was changed." in capsys.readouterr().err
    tables = asyncio.run(run_on(empty_database_url, "SELECT string_agg(tablename, ',') FROM pg_tables WHERE schemaname = 'public'"))
    assert tables == "nchat_users"


def test_a_database_of_a_newer_version_is_left_alone(database_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    asyncio.run(run_on(database_url, "UPDATE alembic_version SET version_num = '9999'"))
    assert main(["migrate", "--database-url", database_url]) == 1
    assert "belongs to a newer version" in capsys.readouterr().err
    assert asyncio.run(run_on(database_url, "SELECT version_num FROM alembic_version")) == "9999"


def test_dev_without_its_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    # By name: the package `app.cli` has a function `parser` as well.
    monkeypatch.setattr(sys.modules["app.cli.parser"], "find_spec", lambda _name: None)
    assert main(["dev"]) == 1
    assert "use `make run` in a checkout" in capsys.readouterr().err


def test_dev_names_a_folder_that_can_not_be_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], handlers_restored: None
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("NCHAT_DATA_DIR", str(tmp_path / "file"))
    monkeypatch.setenv("NCHAT_PORT", str(free_port()))
    assert main(["dev"]) == 1
    assert f"{tmp_path / 'file'} can't be written (File exists)" in capsys.readouterr().err


def test_dev_names_a_host_that_can_not_be_bound(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], handlers_restored: None
) -> None:
    monkeypatch.setenv("NCHAT_HOST", "192.0.2.1")
    monkeypatch.setenv("NCHAT_PORT", str(free_port()))
    assert main(["dev"]) == 1
    assert "can't be used on 192.0.2.1 (Cannot assign requested address)" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_damaged_secrets_are_told_of_and_kept(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{")
    with pytest.raises(secrets_file.SecretsUnreadable, match="is damaged: remove it"):
        secrets_file.load_or_create(tmp_path)
    assert (tmp_path / "secrets.json").read_text() == "{"


def test_the_command_itself_loads_before_the_libraries() -> None:
    """Ctrl-C in the first second is a plain end, not a stack trace of an import."""
    loaded = subprocess.run([sys.executable, "-c", "import app.cli, sys; print(*sys.modules)"], capture_output=True, text=True, check=True)
    assert {"pydantic", "asyncpg", "strawberry", "sqlalchemy"}.isdisjoint(loaded.stdout.split())


@pytest.mark.parametrize("arguments", [[], ["token"], ["dance"], ["serve", "--port", "many"]])
def test_wrong_usage_is_exit_code_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: nchat-rtc" in capsys.readouterr().err


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("nchat-rtc 0.")
