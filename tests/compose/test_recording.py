"""The recorder and the store of compose: what each is told, and that no key is where it need not be."""

import os
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import yaml

from app.settings import Settings, environment_names
from tests.compose.test_compose_files import FOLDER, SERVICES

EGRESS: dict[str, Any] = yaml.safe_load((FOLDER / "egress.yaml").read_text())
GARAGE: dict[str, Any] = tomllib.loads((FOLDER / "garage.toml").read_text())
SETTINGS = SERVICES["api"]["environment"]


def test_the_recorder_hears_of_work_where_livekit_tells_it() -> None:
    assert EGRESS["redis"]["address"] == "redis:6379" and EGRESS["ws_url"] == "ws://livekit:7880"
    environment = SERVICES["egress"]["environment"]
    assert environment["LIVEKIT_API_KEY"] == SETTINGS["NCHAT_LIVEKIT_API_KEY"]
    assert environment["LIVEKIT_API_SECRET"] == SETTINGS["NCHAT_LIVEKIT_API_SECRET"]
    assert str(EGRESS["health_port"]) in SERVICES["egress"]["healthcheck"]["test"][-1]


def test_the_recorder_has_no_key_of_the_store() -> None:
    assert "storage" not in EGRESS and not {"api_key", "api_secret"} & set(EGRESS)
    assert not [name for name in SERVICES["egress"]["environment"] if "S3" in name or "GARAGE" in name]


def test_no_recording_is_cut_by_the_recorder_before_the_api_ends_it() -> None:
    longest = int(SETTINGS["NCHAT_MAX_RECORDING_MINUTES"])
    for limit in EGRESS["session_limits"].values():
        hours, minutes = limit.removesuffix("m").split("h")
        assert longest < int(hours) * 60 + int(minutes) <= longest + 60
    assert {name.split("_")[0] for name in EGRESS["session_limits"]} == {"file", "segment", "image", "stream"}


def test_the_password_gets_into_the_recorder_s_configuration_and_nowhere_else(tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    shown.write_text('#!/bin/sh\ncat "$EGRESS_CONFIG_FILE"\nstat -c %a "$EGRESS_CONFIG_FILE" >&2\nenv | grep -c secret123 >&2\n')
    shown.chmod(0o755)
    own = {"EGRESS_FOLDER": str(tmp_path), "EGRESS_TEMPLATE": str(FOLDER / "egress.yaml"), "EGRESS_PROGRAM": str(shown)}
    started = subprocess.run(
        ["/bin/sh", FOLDER / "start-egress.sh"],
        env={**os.environ, **own, "REDIS_PASSWORD": "secret123"},
        capture_output=True,
        text=True,
    )
    assert yaml.safe_load(started.stdout) == {**EGRESS, "redis": {**EGRESS["redis"], "password": "secret123"}}
    assert started.stderr.split() == ["600", "0"]


def test_the_api_and_the_store_mean_the_same_bucket_key_and_region() -> None:
    store = SERVICES["store"]["environment"]
    assert store["GARAGE_DEFAULT_BUCKET"] == SETTINGS["NCHAT_RECORDING_BUCKET"]
    assert store["GARAGE_DEFAULT_ACCESS_KEY"] == SETTINGS["NCHAT_S3_ACCESS_KEY"]
    assert store["GARAGE_DEFAULT_SECRET_KEY"] == SETTINGS["NCHAT_S3_SECRET_KEY"]
    assert GARAGE["s3_api"]["s3_region"] == SETTINGS["NCHAT_S3_REGION"]
    port = GARAGE["s3_api"]["api_bind_addr"].rpartition(":")[2]
    assert SETTINGS["NCHAT_S3_ENDPOINT"] == f"http://store:{port}"
    assert f"set $store store:{port};" in (FOLDER / "nginx.conf").read_text()


def test_the_store_s_file_holds_no_secret_and_its_image_is_pinned() -> None:
    assert not [name for name in ("rpc_secret", "admin") if name in GARAGE]
    image = (FOLDER / "store.Dockerfile").read_text()
    assert "FROM dxflrs/garage:v2.3.0 AS garage" in image and "USER 65534:65534" in image


def test_the_api_s_image_joins_parts_with_a_program() -> None:
    assert "--no-install-recommends ffmpeg" in (FOLDER / "Dockerfile").read_text() and SETTINGS["NCHAT_FFMPEG"] == "ffmpeg"
    # Not in the 64 MB that are memory.
    assert f"joins:{SETTINGS['TMPDIR']}" in SERVICES["api"]["volumes"]


def test_every_setting_of_recordings_has_its_place() -> None:
    """Given, or left at its default on purpose: what compose's own store and proxy decide."""
    names = {environment_names(name)[0] for name in Settings.model_fields}
    about = {name for name in names if name.startswith(("NCHAT_RECORDING_", "NCHAT_S3_", "NCHAT_EVENT_"))}
    about |= {"NCHAT_MAX_RECORDING_MINUTES", "NCHAT_FFMPEG", "NCHAT_LINK_KEY"}
    assert about - set(SETTINGS) == {"NCHAT_S3_PATH_STYLE", "NCHAT_S3_SSE", "NCHAT_S3_SSE_KMS_KEY_ID"}
