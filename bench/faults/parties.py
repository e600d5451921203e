"""Who takes part in a run: those who follow and those who write, with tokens of the demo's people."""

import random
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Final
from uuid import UUID

from pydantic import SecretStr

from app.auth.token_signing import TokenSigner
from bench.faults.history import SUBSCRIBER
from bench.faults.subscriber import Subscriber
from bench.faults.writers import ForeignWriter, Person
from bench.servers import JWT_KEY
from devstack.demo_data import USER_IDS

JWT_SECRET: Final = f'{{"type": "HS256", "key": "{JWT_KEY}"}}'
FOLLOWERS: Final = ("alice", "bob", "carol", "dave")
# Of ten subscribers so many follow the first call, the second …: rooms of more than fifty at a process are written to in another way.
AUDIENCES: Final = (5, 2, 1, 1, 1)


def dice_of(seed: int, what: str) -> random.Random:
    """The same chances for the same seed."""
    return random.Random(f"{seed} {what}")


def subscribers(many: int, calls: Sequence[UUID], addresses: Sequence[str], folder: Path, seed: int) -> Iterator[tuple[int, Subscriber]]:
    """Each with the place of its call; its history is a file in the folder."""
    tokens = _tokens()
    ends = list(accumulate(AUDIENCES))
    for number in range(many):
        call = next(place for place, end in enumerate(ends) if number * ends[-1] < end * many)
        history = folder / SUBSCRIBER.format(number, call)
        token = tokens[FOLLOWERS[number % len(FOLLOWERS)]]
        yield call, Subscriber(addresses, str(calls[call]), token, history, dice_of(seed, f"subscriber {number}"))


def writers(
    many: int, rate: float, calls: Sequence[UUID], addresses: Sequence[str], database_url: str, seed: int
) -> Iterator[ForeignWriter | Person]:
    """Half of them programs, half of them people."""
    for number in range(many):
        dice = dice_of(seed, f"writer {number}")
        yield Person(addresses, _tokens(), calls, rate, dice) if number % 2 else ForeignWriter(database_url, calls, rate, dice)


def _tokens() -> dict[str, str]:
    signer = TokenSigner.of(SecretStr(JWT_SECRET))
    return {name: f"Bearer {signer.sign(USER_IDS[name], 'user', ttl=3600)}" for name in FOLLOWERS}
