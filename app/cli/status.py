"""`nchat-rtc status`: what the running service says of itself."""

import argparse
import json
import urllib.error
import urllib.request
from typing import Any

from app.cli.dev_facts import facts_file
from app.cli.given_settings import settings_or_refuse
from app.cli.refusal import Refusal
from app.settings import Settings


def run(_arguments: argparse.Namespace) -> int:
    """Prints each dependency's state; 0 when the service is ready, 1 when it runs but is not."""
    settings = settings_or_refuse(facts_file())
    url = f"{local_url(settings)}/readyz"
    code, answer = _ask(url)
    print(f"{url} {code} {answer.get('status', '')}")
    for name, check in answer.get("checks", {}).items():
        print(f"  {name:12} {'ok' if check['ok'] else check['error']}, {check['milliseconds']} ms")
    return 0 if code == 200 else 1


def local_url(settings: Settings) -> str:
    """Where this machine reaches the service."""
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(settings.host, settings.host)  # noqa: S104
    return f"http://{host}:{settings.port}"


def _ask(url: str) -> tuple[int, dict[str, Any]]:
    try:
        try:
            with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as refused:
            return refused.code, json.loads(refused.read())
    except json.JSONDecodeError:
        raise Refusal(f"what answers at {url} is another program") from None
    except OSError:
        raise Refusal(f"nothing answers at {url}: start it with `make run` or `nchat-rtc serve`") from None
