"""What a newcomer reads when everything is up: addresses and a ready token for each demo user."""

import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Sequence

from app.auth.token_signing import TokenSigner
from app.cli.status import local_url
from app.cli.told_by_dev.facts import facts_file
from app.settings import ConfigurationError, Settings
from devstack.demo_users import DEMO_USERS

TOKEN_LIFE = 24 * 3600


def announce_when_ready(settings: Settings, told: Sequence[str], began: float) -> None:
    """Prints the banner from a thread of its own as soon as /readyz says 200. `began` is a time.monotonic()."""
    threading.Thread(target=_announce, args=(settings, told, began), daemon=True, name="announce").start()


def _announce(settings: Settings, told: Sequence[str], began: float) -> None:
    while not _ready(f"{local_url(settings)}/readyz"):
        time.sleep(0.05)
    seconds = time.monotonic() - began
    print(banner(settings, told, seconds), file=sys.stdout, flush=True)


def banner(settings: Settings, told: Sequence[str], seconds: float) -> str:
    """The text; tokens are good for a day."""
    lines = [
        "",
        f"nchat-rtc is ready after {seconds:.1f} s. Ctrl-C stops everything.",
        "",
        f"  console   {settings.public_url}/console",
        f"  GraphQL   {settings.public_url}/v1/graphql",
        *(f"  with      {server}" for server in told),
        f"  settings  {facts_file()} (the admin secret too)",
        "",
        *_tokens(settings),
    ]
    return "\n".join(lines)


def _tokens(settings: Settings) -> list[str]:
    try:
        signer = TokenSigner.of(settings.jwt_secret)
    except ConfigurationError as error:
        return [f"No tokens: {error}"]
    lines = ["Tokens, good for a day (a new one: .venv/bin/nchat-rtc token --user alice):", ""]
    for user in DEMO_USERS:
        lines += [f"  {user.name} ({user.note})", f"  {signer.sign(user.id, user.role, ttl=TOKEN_LIFE)}", ""]
    return lines


def _ready(url: str) -> bool:
    try:
        # Never by way of a proxy of the environment.
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=2) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
