"""That the compose folder is whole: services watched, variables explained, names and ports the same in every file."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.livekit.admission_endpoint import ADMIT_PATH
from app.settings import Settings, environment_names, load_settings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "compose"
COMPOSE = (FOLDER / "docker-compose.yml").read_text()
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load(COMPOSE)["services"]
LIVEKIT: dict[str, Any] = yaml.safe_load((FOLDER / "livekit.yaml").read_text())
INGRESS: dict[str, Any] = yaml.safe_load((FOLDER / "ingress.yaml").read_text())
EXAMPLE = dict(line.split("=", 1) for line in (FOLDER / ".env.example").read_text().splitlines() if line and not line.startswith("#"))
# Left empty, nobody is told, or there is none.
OPTIONAL = {f"NCHAT_{kind}_WEBHOOK_{what}" for kind in ("PUSH", "EVENT") for what in ("URL", "SECRET")} | {
    "NCHAT_CALL_PAGE_URL",
    "NCHAT_RECORDING_TEMPLATES",
}
# What the example leaves to whoever fills it in.
FILLED = {
    **dict.fromkeys(EXAMPLE.keys() - OPTIONAL, "ab" * 32),
    "NCHAT_JWT_SECRET": '{"type":"HS256","key":"0123456789abcdef0123456789abcdef"}',
    "NCHAT_ENCRYPTION_KEYS": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
}
every_service = pytest.mark.parametrize("name", SERVICES)


def published(name: str) -> set[str]:
    return {port.split(":")[-1] for port in SERVICES[name].get("ports", ())}


def test_the_services() -> None:
    assert set(SERVICES) == {"proxy", "api", "migrate", "postgres", "redis", "livekit", "coturn", "egress", "ingress", "store", "bucket"}


@every_service
def test_every_service_is_watched_or_runs_once(name: str) -> None:
    service = SERVICES[name]
    if service["restart"] == "no":
        waiting = [other for other in SERVICES.values() if name in other.get("depends_on", {})]
        assert [other["depends_on"][name]["condition"] for other in waiting] == ["service_completed_successfully"]
    else:
        assert service["healthcheck"]["test"][0] == "CMD"
        assert service["restart"] == "unless-stopped"


@every_service
def test_every_image_is_built_here_or_pinned(name: str) -> None:
    service = SERVICES[name]
    if "build" in service:
        assert service["build"]["dockerfile"] in ("compose/Dockerfile", "store.Dockerfile")
    else:
        assert re.fullmatch(r"[\w/-]+:v?\d[\w.]*", service["image"])


@every_service
def test_whoever_is_waited_for_exists(name: str) -> None:
    assert set(SERVICES[name].get("depends_on", {})) <= set(SERVICES)


def test_every_variable_is_explained_and_none_is_left_over() -> None:
    assert set(re.findall(r"\$\{(\w+)", COMPOSE)) == set(EXAMPLE)


def test_the_example_holds_no_secret_and_a_missing_one_stops_the_start() -> None:
    secrets = {name for name, value in EXAMPLE.items() if not value}
    assert secrets == {name for name in EXAMPLE if re.search("SECRET|PASSWORD|KEYS?$", name)} | OPTIONAL
    for name in secrets:
        assert set(re.findall(rf"\$\{{{name}([^}}]*)\}}", COMPOSE)) == {"-" if name in OPTIONAL else ":?"}


def test_the_api_is_given_settings_that_exist() -> None:
    known = {environment for name in Settings.model_fields for environment in environment_names(name)}
    assert set(SERVICES["api"]["environment"]) - {"TMPDIR"} <= known
    assert SERVICES["migrate"]["environment"] == SERVICES["api"]["environment"]


def test_what_may_be_left_out_of_env_is_what_the_example_says() -> None:
    given = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", COMPOSE))
    free = ("NCHAT_RECORDING_DEFAULT_POLICY", "NCHAT_STREAMING_DASH", "NCHAT_HLS_SEGMENT_SECONDS")
    assert given == {name: EXAMPLE[name] for name in free}


@pytest.mark.parametrize("dash", ["false", "true"])
def test_the_settings_of_the_example_are_read(dash: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Filled in, as compose gives them to the API."""
    filled = {name: value or FILLED.get(name, "") for name, value in {**EXAMPLE, "NCHAT_STREAMING_DASH": dash}.items()}
    for name, value in SERVICES["api"]["environment"].items():
        monkeypatch.setenv(name, re.sub(r"\$\{(\w+)[^}]*\}", lambda found: filled[found[1]], value))
    read = load_settings()
    assert read.streaming_dash is (dash == "true")
    assert read.recording_default_policy == "pro"


def test_everybody_means_the_same_key() -> None:
    key = SERVICES["api"]["environment"]["NCHAT_LIVEKIT_API_KEY"]
    assert LIVEKIT["webhook"]["api_key"] == key
    assert SERVICES["livekit"]["environment"]["LIVEKIT_KEYS"].startswith(f"{key}: ")


def test_addresses_inside_the_network_are_services() -> None:
    (webhook,) = LIVEKIT["webhook"]["urls"]
    settings = SERVICES["api"]["environment"]
    assert webhook == f"http://api:{settings['NCHAT_PORT']}/api/webhooks/livekit"
    assert LIVEKIT["redis"]["address"] == "redis:6379"
    assert settings["NCHAT_LIVEKIT_URL"] == f"http://livekit:{LIVEKIT['port']}"


def test_nothing_is_published_but_the_proxy_and_media() -> None:
    assert {name for name in SERVICES if published(name)} == {"proxy", "livekit", "coturn", "ingress"}
    # What reaches the proxy is not encrypted, so it comes from this host alone.
    assert SERVICES["proxy"]["ports"] == ["127.0.0.1:8000:8000", "127.0.0.1:8001:8001"]


def test_livekit_s_media_is_published_and_its_signalling_is_not() -> None:
    rtc = LIVEKIT["rtc"]
    assert published("livekit") == {str(rtc["tcp_port"]), f"{rtc['udp_port']}/udp"}
    assert rtc["use_external_ip"] is False and "keys" not in LIVEKIT


def test_the_proxy_leads_to_the_services_and_asks_the_door() -> None:
    conf = (FOLDER / "nginx.conf").read_text()
    assert f"set $api api:{SERVICES['api']['environment']['NCHAT_PORT']};" in conf
    assert f"set $livekit livekit:{LIVEKIT['port']};" in conf
    assert f"proxy_pass http://$api{ADMIT_PATH};" in conf
    # One place leads to LiveKit, and it asks first.
    (signalling,) = [part for part in conf.split("location ") if "proxy_pass http://$livekit" in part]
    assert "auth_request /_admit;" in signalling


def test_encoders_reach_the_ingress_where_livekit_says() -> None:
    assert published("ingress") == {str(INGRESS["rtmp_port"]), f"{INGRESS['rtc_config']['udp_port']}/udp"}
    assert f"set $ingress ingress:{INGRESS['whip_port']};" in (FOLDER / "nginx.conf").read_text()
    arguments = dict(argument.removeprefix("--").split("=", 1) for argument in SERVICES["livekit"]["command"])
    assert {name: EXAMPLE[value[2:-3]] for name, value in arguments.items() if name.startswith("ingress.")} == {
        "ingress.rtmp_base_url": f"rtmp://rtc.example.org:{INGRESS['rtmp_port']}/live",
        "ingress.whip_base_url": f"{EXAMPLE['NCHAT_PUBLIC_URL']}/w",
    }


def test_coturn_s_ports_are_published() -> None:
    lines = (FOLDER / "turnserver.conf").read_text().splitlines()
    conf = dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))
    plain, tls = conf["listening-port"], conf["tls-listening-port"]
    assert published("coturn") == {plain, f"{plain}/udp", tls, f"{conf['min-port']}-{conf['max-port']}/udp"}
    assert "static-auth-secret" not in conf


def test_the_image_gets_what_it_copies() -> None:
    kept = {line[1:] for line in (FOLDER / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")}
    for path in kept - {"console/dist"}:
        assert (ROOT / path).exists(), path
    packages = {"app", "devstack", "domain", "migrations", "permissions", "resolvers", "schema", "console/dist"}
    assert packages | {"requirements.txt", "pyproject.toml"} <= kept


@every_service
def test_every_container_is_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["cap_drop"] == ["ALL"] and set(service.get("cap_add", ())) <= {"NET_BIND_SERVICE"}
    assert service["security_opt"] == ["no-new-privileges:true"]
    # The recorder is a browser with a sound server, which write all over their home.
    assert service["read_only"] is (name != "egress") and service["mem_limit"] and service["pids_limit"]
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert service.get("privileged") is None and service.get("network_mode") is None
    # Nobody is root: the API's image names its own user.
    assert service.get("user", "0:0") != "0:0" or ("USER nobody" in (FOLDER / "Dockerfile").read_text() and "build" in service)


@every_service
def test_no_secret_is_an_argument(name: str) -> None:
    service = SERVICES[name]
    arguments = " ".join([*service.get("command", ()), *service.get("entrypoint", ()), *service.get("healthcheck", {}).get("test", ())])
    assert [secret for secret in EXAMPLE if not EXAMPLE[secret] and secret in arguments] == []


@every_service
def test_nothing_is_mounted_that_a_container_may_change(name: str) -> None:
    mounted = [volume for volume in SERVICES[name].get("volumes", ()) if volume.startswith(".")]
    assert [volume for volume in mounted if not volume.endswith(":ro")] == []
    assert [volume for volume in mounted if not (FOLDER / volume.split(":")[0]).exists()] == []


@every_service
def test_what_a_container_may_write_has_a_size(name: str) -> None:
    """It counts to the memory that the container may have."""
    sizes = [re.search(r"\bsize=(\d+)m\b", place) for place in SERVICES[name].get("tmpfs", ())]
    assert None not in sizes
    limit = SERVICES[name]["mem_limit"]
    most = int(limit[:-1]) * (1024 if limit.endswith("g") else 1)
    assert sum(int(size[1]) for size in sizes if size) <= most // 4


def test_the_proxy_counts_no_fewer_connections_of_an_address_than_the_api() -> None:
    conf = (FOLDER / "nginx.conf").read_text()
    default = Settings.model_fields["connections_per_address"].default
    processes = int(SERVICES["api"]["environment"]["NCHAT_WORKERS"])
    assert {zone: int(most) >= default * processes for zone, most in re.findall(r"limit_conn (\w+) (\d+);", conf)} == {
        "address": True,
        "signalling": True,
    }


def test_the_proxy_has_descriptors_for_all_its_connections() -> None:
    conf = (FOLDER / "nginx.conf").read_text()
    numbers = {name: int(number) for name, number in re.findall(r"(worker_rlimit_nofile|worker_connections) (\d+);", conf)}
    assert SERVICES["proxy"]["ulimits"]["nofile"] >= numbers["worker_rlimit_nofile"] >= 2 * numbers["worker_connections"]


def test_the_filled_in_example_is_nobody_s_to_commit() -> None:
    ignored = subprocess.run(["git", "check-ignore", "compose/.env"], cwd=ROOT, capture_output=True, text=True)
    assert ignored.stdout.strip() == "compose/.env"


def test_the_api_is_no_superuser_and_its_database_is_its_own() -> None:
    assert "POSTGRES_USER" not in SERVICES["postgres"]["environment"]
    passwords = {SERVICES["postgres"]["environment"][name] for name in ("POSTGRES_PASSWORD", "NCHAT_POSTGRES_PASSWORD")}
    assert len(passwords) == 2
    assert "//nchat:${NCHAT_POSTGRES_PASSWORD:?}@" in SERVICES["api"]["environment"]["NCHAT_DATABASE_URL"]


def test_valkey_s_password_is_everybody_s() -> None:
    password = "${NCHAT_REDIS_PASSWORD:?}"
    assert SERVICES["redis"]["environment"] == {"VALKEY_PASSWORD": password, "REDISCLI_AUTH": password}
    assert SERVICES["livekit"]["environment"]["REDIS_PASSWORD"] == password
    assert SERVICES["api"]["environment"]["NCHAT_REDIS_URL"] == f"redis://:{password}@redis:6379/0"
