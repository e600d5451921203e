"""Settings: what beats what, secrets from files and never in sight, and a documented table that can't go stale."""

import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from pydantic_settings import SettingsError

from app.settings import Settings, environment_names, load_settings
from app.settings.authentication import AuthenticationSettings
from app.settings.secret_files import holds_secret
from devstack.golden.settings_table import PAGE, page_with_table

ALIASES = {
    "BACKEND_URL": "public_url",
    "DATABASE_URL": "database_url",
    "REDIS_URL": "redis_url",
    "LIVEKIT_URL": "livekit_url",
    "LIVEKIT_API_KEY": "livekit_api_key",
    "LIVEKIT_API_SECRET": "livekit_api_secret",
    "TURN_SECRET": "turn_secret",
}

# The values are those of Hasura's own environment, which its documentation has.
OF_HASURA = {
    "HASURA_GRAPHQL_ADMIN_SECRET": ("admin_secret", "open sesame", "open sesame"),
    "HASURA_GRAPHQL_ACCESS_KEY": ("admin_secret", "open sesame", "open sesame"),
    "HASURA_GRAPHQL_ADMIN_SECRETS": ("admin_secrets", '["new", "old"]', '["new", "old"]'),
    "HASURA_GRAPHQL_JWT_SECRET": ("jwt_secret", '{"type": "HS256", "key": "0123"}', '{"type": "HS256", "key": "0123"}'),
    "HASURA_GRAPHQL_JWT_SECRETS": ("jwt_secrets", '[{"type": "HS256", "key": "0123"}]', '[{"type": "HS256", "key": "0123"}]'),
    "HASURA_GRAPHQL_AUTH_HOOK": ("auth_hook", "http://auth.hook.com/x", "http://auth.hook.com/x"),
    "HASURA_GRAPHQL_AUTH_HOOK_MODE": ("auth_hook_mode", "POST", "POST"),
    "HASURA_GRAPHQL_AUTH_HOOK_TYPE": ("auth_hook_mode", "POST", "POST"),
    "HASURA_GRAPHQL_AUTH_HOOK_SEND_REQUEST_BODY": ("auth_hook_send_request_body", "false", False),
    "HASURA_GRAPHQL_UNAUTHORIZED_ROLE": ("unauthorized_role", "anonymous", "anonymous"),
}

ENCRYPTION_KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for field in Settings.model_fields:
        for name in environment_names(field):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(f"{name}_FILE", raising=False)


def plain(value: object) -> object:
    return getattr(value, "get_secret_value", lambda: value)()


def secret_of_the_right_form(field: str) -> str:
    forms = {
        "database_url": "postgresql://someone:do-not-show@db/nchat",
        "redis_url": "redis://:do-not-show@broker:6379/0",
        "encryption_keys": ENCRYPTION_KEY,
        "push_webhook_secret": ENCRYPTION_KEY,
        "link_key": "do-not-show, for it is long enough",
        "event_webhook_secret": ENCRYPTION_KEY,
    }
    return forms.get(field, "do-not-show")


def test_the_documented_table_is_the_present_one() -> None:
    page = PAGE.read_text()
    assert page == page_with_table(page), "run `make golden`"


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize(("variable", "field"), ALIASES.items())
def test_the_names_of_other_programs_work_and_the_own_name_wins(monkeypatch: pytest.MonkeyPatch, variable: str, field: str) -> None:
    scheme = {"database_url": "postgresql", "redis_url": "redis"}.get(field, "http")
    monkeypatch.setenv(variable, f"{scheme}://other")
    assert plain(getattr(load_settings(), field)) == f"{scheme}://other"
    monkeypatch.setenv(f"NCHAT_{field.upper()}", f"{scheme}://own")
    assert plain(getattr(load_settings(), field)) == f"{scheme}://own"


@pytest.mark.parametrize(("variable", "said"), OF_HASURA.items())
def test_who_asks_is_settled_by_hasuras_own_environment_too(
    monkeypatch: pytest.MonkeyPatch, variable: str, said: tuple[str, str, object]
) -> None:
    field, text, value = said
    if field == "unauthorized_role":
        monkeypatch.setenv("NCHAT_ADMIN_SECRET", "s")
    monkeypatch.setenv(variable, text)
    assert plain(getattr(load_settings(), field)) == value
    own = {"auth_hook": "https://own", "auth_hook_mode": "GET", "auth_hook_send_request_body": "true"}.get(field, "own")
    monkeypatch.setenv(f"NCHAT_{field.upper()}", own)
    assert plain(getattr(load_settings(), field)) == {"true": True}.get(own, own)


def test_every_setting_of_who_asks_has_hasuras_name() -> None:
    assert {field for field, _, _ in OF_HASURA.values()} == set(AuthenticationSettings.model_fields)


@pytest.mark.parametrize("name", ["ADMIN_SECRET", "ADMIN_SECRETS", "JWT_SECRET", "JWT_SECRETS", "AUTH_HOOK"])
def test_whoever_is_kept_out_by_hasuras_environment_is_kept_out_here(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"HASURA_GRAPHQL_{name}", OF_HASURA[f"HASURA_GRAPHQL_{name}"][1])
    assert not load_settings().is_open


def test_the_own_name_wins_in_whatever_form(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("file")
    monkeypatch.setenv("NCHAT_ADMIN_SECRET_FILE", str(tmp_path / "secret"))
    monkeypatch.setenv("HASURA_GRAPHQL_ADMIN_SECRET", "text")
    assert plain(load_settings().admin_secret) == "file"
    monkeypatch.delenv("NCHAT_ADMIN_SECRET_FILE")
    monkeypatch.delenv("HASURA_GRAPHQL_ADMIN_SECRET")
    monkeypatch.setenv("NCHAT_ADMIN_SECRET", "text")
    monkeypatch.setenv("HASURA_GRAPHQL_ADMIN_SECRET_FILE", str(tmp_path / "secret"))
    assert plain(load_settings().admin_secret) == "text"


@pytest.mark.parametrize("field", [name for name, field in Settings.model_fields.items() if holds_secret(field)])
def test_every_secret_has_a_file_form(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, field: str) -> None:
    secret = secret_of_the_right_form(field)
    (tmp_path / "secret").write_text(f"{secret}\n")
    for name in environment_names(field):
        with monkeypatch.context() as environment:
            environment.setenv(f"{name}_FILE", str(tmp_path / "secret"))
            value = getattr(load_settings(), field)
            assert plain(value[0] if isinstance(value, tuple) else value) == secret


def test_a_secret_in_both_forms_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NCHAT_JWT_SECRET", "a")
    monkeypatch.setenv("NCHAT_JWT_SECRET_FILE", str(tmp_path / "b"))
    with pytest.raises(SettingsError, match="both set"):
        load_settings()


def test_a_secret_file_that_is_absent_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NCHAT_ADMIN_SECRET_FILE", str(tmp_path / "absent"))
    with pytest.raises(SettingsError, match="NCHAT_ADMIN_SECRET_FILE: No such file"):
        load_settings()


def test_a_secret_file_that_is_empty_is_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    monkeypatch.setenv("NCHAT_ADMIN_SECRET_FILE", str(tmp_path / "empty"))
    with pytest.raises(SettingsError, match="NCHAT_ADMIN_SECRET_FILE: the file is empty"):
        load_settings()


def test_keyword_beats_environment_beats_file_of_defaults(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    defaults = tmp_path / "dev.env"
    defaults.write_text("NCHAT_PORT=1001\nNCHAT_LIVEKIT_URL='http://file'\nNCHAT_TURN_SECRET=file\nNCHAT_HOST=10.0.0.1\n")
    monkeypatch.setenv("NCHAT_PORT", "1002")
    # By another of the setting's names: the order of the sources decides, not the order of the names.
    monkeypatch.setenv("LIVEKIT_URL", "http://environment")
    (tmp_path / "turn").write_text("environment")
    monkeypatch.setenv("TURN_SECRET_FILE", str(tmp_path / "turn"))
    settings = load_settings(defaults)
    assert (settings.port, settings.livekit_url, plain(settings.turn_secret)) == (1002, "http://environment", "environment")
    assert settings.host == "10.0.0.1"
    assert load_settings(defaults, port=1003).port == 1003


@pytest.mark.parametrize("which", [0, -1], ids=["by its own name", "by its last"])
def test_no_secret_shows(monkeypatch: pytest.MonkeyPatch, which: int) -> None:
    for field, info in Settings.model_fields.items():
        if holds_secret(info):
            monkeypatch.setenv(environment_names(field)[which], secret_of_the_right_form(field))
    shown = repr(load_settings()) + str(load_settings()) + load_settings().model_dump_json()
    assert not re.search(f"do-not-show|{ENCRYPTION_KEY}", shown)


def test_errors_show_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCHAT_PORT", "do-not-show")
    with pytest.raises(ValidationError) as refused:
        load_settings()
    assert "do-not-show" not in str(refused.value)


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"NCHAT_TURN_ENABLED": "true"}, "NCHAT_TURN_SECRET"),
        ({"NCHAT_UNAUTHORIZED_ROLE": "anonymous"}, "every caller is admin"),
        ({"NCHAT_UNAUTHORIZED_ROLE": "admin", "NCHAT_ADMIN_SECRET": "s"}, "must not be admin"),
        ({"HASURA_GRAPHQL_UNAUTHORIZED_ROLE": "anonymous"}, "every caller is admin"),
        ({"HASURA_GRAPHQL_AUTH_HOOK_MODE": "post"}, "'GET' or 'POST'"),
        ({"HASURA_GRAPHQL_AUTH_HOOK": "http://h/x", "HASURA_GRAPHQL_JWT_SECRET": "{}"}, "are both set"),
        ({"NCHAT_RATE_LIMIT_INITIATE": "lots"}, "pattern"),
        ({"NCHAT_PORT": "70000"}, "less than or equal to 65535"),
        ({"NCHAT_DATABASE_URL": "mysql://db/nchat"}, "postgresql://user:password@host:port/database"),
        ({"NCHAT_DATABASE_URL": "postgresql://someone:a@b/c@db/nchat"}, "a password's @"),
        ({"NCHAT_DATABASE_URL": "postgresql://someone:a#b@db/nchat"}, "a password's @"),
        ({"NCHAT_DATABASE_URL": "postgresql://db:port/nchat"}, "host:port"),
        ({"NCHAT_REDIS_URL": "broker:6379"}, "redis://"),
        ({"NCHAT_LIVEKIT_URL": "livekit:7880"}, "http://host:port"),
        ({"NCHAT_LIVEKIT_PUBLIC_URL": "wss://"}, "http://host:port"),
        ({"NCHAT_PUBLIC_URL": "rtc.example.org"}, "http://host:port"),
        ({"NCHAT_CORS_ORIGINS": "localhost:5173"}, "https://app.example.org"),
        ({"NCHAT_CORS_ORIGINS": "https://a.example/app"}, "without a path"),
        ({"NCHAT_STREAMING_DASH": "true"}, "NCHAT_STREAMING_DASH needs NCHAT_FFMPEG"),
        ({"NCHAT_ENCRYPTION_KEYS": "c2hvcnQ="}, "32 bytes in URL-safe base64"),
        ({"NCHAT_MAX_CALL_MINUTES": "9" * 12}, "less than or equal to 525600"),
        ({"NCHAT_HLS_SEGMENT_SECONDS": "0"}, "greater than or equal to 1"),
        ({"NCHAT_HLS_SEGMENT_SECONDS": "11"}, "less than or equal to 10"),
        ({"NCHAT_HLS_SEGMENT_SECONDS": "2.5"}, "valid integer"),
        ({"NCHAT_MAX_RECORDING_MINUTES": "9" * 12}, "less than or equal to 525600"),
        ({"NCHAT_LIVEKIT_TOKEN_TTL": "9" * 12}, "less than or equal to 31536000"),
        ({"NCHAT_TURN_CREDENTIAL_TTL": "9" * 12}, "less than or equal to 31536000"),
        ({"NCHAT_MEDIA_LINK_TTL": "604801"}, "less than or equal to 604800"),
        ({"NCHAT_PLAYBACK_LINK_TTL": "9" * 12}, "less than or equal to 31536000"),
    ],
)
def test_what_can_not_work_is_refused(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], problem: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=problem):
        load_settings()


@pytest.mark.parametrize(
    "url",
    [
        "postgres://db",
        "postgresql:///nchat?host=/var/run/postgresql",
        "postgresql://someone:p%40ss@db:5432/nchat?sslmode=require",
        "postgresql://someone@[::1]:5432/nchat",
        "postgresql://one:5432,two:5433/nchat?target_session_attrs=read-write",
    ],
)
def test_forms_that_postgresql_knows(url: str) -> None:
    assert plain(load_settings(database_url=url).database_url) == url


@pytest.mark.parametrize(
    ("given", "broker"),
    [
        ({}, "memory"),
        ({"workers": 2}, "postgres"),
        ({"workers": 2, "hints": "memory"}, "memory"),
        ({"hints": "postgres"}, "postgres"),
        ({"workers": 2, "hints": "postgres", "redis_url": "redis://broker:6379/0"}, "redis"),
    ],
)
def test_hints_go_where_all_processes_hear_them(given: dict[str, Any], broker: str) -> None:
    assert load_settings(**given).broker == broker


def test_a_slash_after_an_origin_is_not_part_of_it() -> None:
    assert load_settings(cors_origins="http://localhost:5173/,*").cors_origins == ("http://localhost:5173", "*")


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NCHAT_CORS_ORIGINS", "https://a.example, https://b.example,")
    assert load_settings().cors_origins == ("https://a.example", "https://b.example")


def test_livekit_urls_follow_from_each_other() -> None:
    settings = load_settings(livekit_url="wss://media.example/")
    assert (settings.livekit_api_url, settings.livekit_client_url) == ("https://media.example", "wss://media.example")
    assert load_settings(livekit_url="http://10.0.0.1:7880", livekit_public_url="wss://p.example").livekit_client_url == "wss://p.example"
