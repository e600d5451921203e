"""The ingress of compose: what it is told, and that no secret stands where it need not be."""

import os
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.compose.test_compose_files import FOLDER, INGRESS, SERVICES


def test_it_asks_about_keys_where_livekit_answers() -> None:
    assert INGRESS["redis"]["address"] == "redis:6379" and INGRESS["ws_url"] == "ws://livekit:7880"
    environment, settings = SERVICES["ingress"]["environment"], SERVICES["api"]["environment"]
    assert environment["LIVEKIT_API_KEY"] == settings["NCHAT_LIVEKIT_API_KEY"]
    assert environment["LIVEKIT_API_SECRET"] == settings["NCHAT_LIVEKIT_API_SECRET"]
    assert str(INGRESS["health_port"]) in SERVICES["ingress"]["healthcheck"]["test"][-1]


def test_password_and_address_get_into_its_configuration_and_nowhere_else(tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    shown.write_text('#!/bin/sh\ncat "$INGRESS_CONFIG_FILE"\nstat -c %a "$INGRESS_CONFIG_FILE" >&2\nenv | grep -c secret123 >&2\n')
    shown.chmod(0o755)
    own = {"INGRESS_FOLDER": str(tmp_path), "INGRESS_TEMPLATE": str(FOLDER / "ingress.yaml"), "INGRESS_PROGRAM": str(shown)}
    started = subprocess.run(
        ["/bin/sh", FOLDER / "start-ingress.sh"],
        env={**os.environ, **own, "REDIS_PASSWORD": "secret123", "NODE_IP": "203.0.113.10"},
        capture_output=True,
        text=True,
    )
    given: dict[str, Any] = yaml.safe_load(started.stdout)
    assert given == {
        **INGRESS,
        "redis": {**INGRESS["redis"], "password": "secret123"},
        "rtc_config": {**INGRESS["rtc_config"], "node_ip": "203.0.113.10"},
    }
    assert started.stderr.split() == ["600", "0"]
