"""Who calls an action, and the world it acts in."""

from strawberry.types import Info

from domain.world import World
from permissions.session import Session
from resolvers.hand_written.context import Context


def caller(info: Info[Context, None]) -> tuple[World, Session]:
    """The first two arguments of every domain function."""
    world: World = info.context.world
    return world, info.context.session
