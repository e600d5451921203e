"""Writes what each role sees of the GraphQL schema to `schema/sdl/`: `python -m devstack.golden.role_sdl`, to be read in a review."""

import asyncio
from pathlib import Path
from typing import Final

from graphql import print_schema
from strawberry import Schema

import resolvers.actions
from app.database.reflection import reflect
from devstack.migrated_database import migrated_database
from permissions.reading.metadata import load_metadata
from permissions.resolving.resolve import resolve
from permissions.session import Session
from resolvers.hand_written.action_fields import scan
from resolvers.roles.role_views import RoleViews
from resolvers.roles.whole_schema import whole_schema

ROOT: Final = Path(__file__).parents[2]
SDL: Final = ROOT / "schema" / "sdl"
# Admin sees all there is: no decision to review.
ROLES: Final = ("anonymous", "moderator", "user")


async def schemas(database_url: str) -> dict[Path, str]:
    """The SDL of each role by file, from a migrated database and the product's metadata."""
    reflected = await reflect(database_url)
    rules = resolve(load_metadata(ROOT / "permissions" / "metadata"), reflected.metadata, reflected.functions, strict=True)
    views = RoleViews(rules.catalog, rules.roles, whole_schema(rules.catalog, scan(resolvers.actions)))
    return {SDL / f"{role}.graphql": _printed(views.of(Session(role)).schema) for role in ROLES}


def _printed(schema: Schema) -> str:
    """In the order of names, as introspection tells it: only what a role sees makes a difference."""
    return print_schema(schema._schema) + "\n"


def write() -> None:
    """From a database of its own, for the functions behind computed fields."""
    with migrated_database() as url:
        found = asyncio.run(schemas(url))
    SDL.mkdir(exist_ok=True)
    for path, text in found.items():
        path.write_text(text)


if __name__ == "__main__":
    write()
