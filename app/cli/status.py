"""`nchat-rtc status`: what the running service says of itself, and what to do about it."""

import argparse
import http.client
import json
import urllib.error
import urllib.request
from typing import Any, Final

from app.cli.advice import advice
from app.cli.given_settings import settings_or_refuse
from app.cli.refusal import Refusal
from app.cli.told_by_dev.facts import facts_file
from app.settings import Settings

# Exit codes by what the service says; whatever else goes wrong is 1, as with every command.
EXIT_CODES: Final = {"ready": 0, "degraded": 3, "unavailable": 1}
PATIENCE: Final = 5


def run(_arguments: argparse.Namespace) -> int:
    """Prints each dependency's state with what to do; 0 when the service is ready, 3 when it does without something, 1 when it can't."""
    settings = settings_or_refuse(facts_file())
    url = f"{local_url(settings)}/readyz"
    answer = _ask(url)
    print(f"{url} {answer['status']}, version {answer.get('version', 'unknown')}")
    for name, check in answer["checks"].items():
        print(f"  {name:12} {'ok' if check['ok'] else check['error']}, {check['milliseconds']} ms")
        if not check["ok"] and (what_to_do := advice(name, check["error"])):
            print(f"  {'':12} → {what_to_do}")
    return EXIT_CODES[answer["status"]]


def local_url(settings: Settings) -> str:
    """Where this machine reaches the service."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"


def _ask(url: str) -> dict[str, Any]:
    try:
        answer = json.loads(_body(url))
    except TimeoutError:
        raise Refusal(f"{url} does not answer within {PATIENCE} s: the process hangs, restart it") from None
    except (http.client.HTTPException, ValueError):
        answer = None
    except OSError as error:
        if isinstance(getattr(error, "reason", None), TimeoutError):
            raise Refusal(f"{url} does not answer within {PATIENCE} s: the process hangs, restart it") from None
        raise Refusal(f"nothing answers at {url}: start it with `make run` or `nchat-rtc serve`") from None
    if not isinstance(answer, dict) or answer.get("status") not in EXIT_CODES or not isinstance(answer.get("checks"), dict):
        raise Refusal(f"what answers at {url} is another program: NCHAT_HOST and NCHAT_PORT say where the service is")
    return answer


def _body(url: str) -> bytes:
    # Never by way of a proxy of the environment: the service is on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=PATIENCE) as response:
            return bytes(response.read())
    except urllib.error.HTTPError as refused:
        return refused.read()
