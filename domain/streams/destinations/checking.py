"""Whether a stream may be sent to an address: its form, and where its host leads at this moment."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from domain.errors import InvalidInput, MediaUnavailable
from domain.ports import NoSealingKey, Unresolvable
from domain.streams.destinations.addresses import Target, read_url, require_key
from domain.streams.destinations.networks import is_outside
from domain.world import World

Platform = Literal["youtube", "twitch", "facebook", "custom"]
NOWHERE: Final = "The address's host can't be found."
INSIDE: Final = "The address leads into a private network."


@dataclass(frozen=True, slots=True)
class OutputWanted:
    """A destination as the host names it."""

    platform: Platform
    rtmp_url: str
    stream_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CheckedOutput:
    """The same after `check`, with the key sealed."""

    platform: Platform
    rtmp_url: str
    sealed_key: str = field(repr=False)


async def check_all(world: World, wanted: Sequence[OutputWanted], whose: str) -> Sequence[CheckedOutput]:
    """The destinations that a stream is to start with, one of each platform: then `adding.put_destinations` takes them. `whose` they are
    tells whose turn it is where names are slow."""
    if len({one.platform for one in wanted}) < len(wanted):
        raise InvalidInput("rtmpOutputs has one destination of each platform.")
    return [await check(world, one, whose) for one in wanted]


async def check(world: World, wanted: OutputWanted, whose: str) -> CheckedOutput:
    """Looks the host up, hence outside of any transaction. InvalidInput says what is wrong."""
    require_key(wanted.stream_key)
    return CheckedOutput(wanted.platform, await check_url(world, wanted.rtmp_url, whose), seal(world, wanted.stream_key))


async def check_url(world: World, text: str, whose: str) -> str:
    """The address in its one writing; InvalidInput for a form that is none, and for one that leads nowhere or inside."""
    target = read_url(text)
    try:
        sentence = await _refusal(world, target, whose)
    except Unresolvable:
        raise InvalidInput(NOWHERE) from None
    if sentence is not None:
        raise InvalidInput(sentence)
    return target.url


async def refusal(world: World, url: str, whose: str) -> str | None:
    """Why nothing is ever sent to an address that is kept, asked at each use: where a name leads may change. None: it may be sent.

    Raises Unresolvable where nobody can say at this moment where it leads.
    """
    try:
        target = read_url(url)
    except InvalidInput as error:
        return error.sentence
    return await _refusal(world, target, whose)


async def _refusal(world: World, target: Target, whose: str) -> str | None:
    found = [target.literal] if target.literal is not None else await world.host_names.addresses(target.host, whose)
    if not found:
        raise Unresolvable("no addresses")
    return None if all(is_outside(address, loopback=world.limits.sends_to_loopback) for address in found) else INSIDE


def seal(world: World, key: str) -> str:
    """MediaUnavailable where the deployment has no key to seal it with: then it is not kept at all."""
    try:
        return world.sealer.seal(key)
    except NoSealingKey:
        raise MediaUnavailable("This deployment can't keep stream keys: it has no encryption key.") from None
