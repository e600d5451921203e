"""Writes what generated TypeScript clients can't know from the schema to `schema/codegen/`: `python -m devstack.golden.client_types`."""

import asyncio
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from graphql import GraphQLEnumType, GraphQLScalarType, GraphQLSchema, is_specified_scalar_type

import resolvers.actions
from app.database.reflection import reflect
from devstack.golden.role_sdl import ROOT
from devstack.migrated_database import migrated_database
from permissions.reading.metadata import load_metadata
from permissions.resolving.resolve import resolve
from resolvers.hand_written.action_fields import scan
from resolvers.roles.whole_schema import whole_schema
from schema.table_types.scalars import LABELS, NUMERIC
from schema.type_names import scalar_name
from schema.types.call_event_kinds import CALL_EVENTS

CODEGEN: Final = ROOT / "schema" / "codegen"
_NUMBERS: Final = {scalar_name(name) for name in NUMERIC - {"money"}}
_WORDS: Final = {"String": "string", "Boolean": "boolean", "Int": "number", "Float": "number"}
_EVENTS: Final = """// Written by `make golden`. docs/events.md says when each comes.

%s

/** What `callEvents` tells in `payload`, by `kind`. New kinds come with new features: ignore what you don't know. */
export interface CallEventPayloads {
%s
}

export type CallEventKind = keyof CallEventPayloads;

/** The `kind` and `payload` of an event that was known when this was written. */
export type KnownCallEvent = { [Kind in CallEventKind]: { kind: Kind; payload: CallEventPayloads[Kind] } }[CallEventKind];

export const callEventKinds: ReadonlySet<string> = new Set<CallEventKind>([
%s
]);

/** Whether an event is one of those, with the payload of its kind. */
export const isKnownCallEvent = (event: { kind: string; payload: unknown }): event is KnownCallEvent => callEventKinds.has(event.kind);
"""


async def files(database_url: str) -> dict[Path, str]:
    """The scalars as TypeScript, for codegen and genql, and the payloads of events, by file."""
    reflected = await reflect(database_url)
    rules = resolve(load_metadata(ROOT / "permissions" / "metadata"), reflected.metadata, reflected.functions, strict=True)
    schema: GraphQLSchema = whole_schema(rules.catalog, scan(resolvers.actions))._schema
    own = [type_ for type_ in schema.type_map.values() if isinstance(type_, GraphQLScalarType) and not is_specified_scalar_type(type_)]
    scalars = {scalar.name: _typescript(scalar) for scalar in own}
    unions = {scalar.name: scalars[scalar.name] for scalar in own if LABELS in scalar.extensions}
    unions |= {name: _union(type_.values) for name, type_ in schema.type_map.items() if isinstance(type_, GraphQLEnumType)}
    return {
        CODEGEN / "scalars.json": json.dumps(scalars, indent=2) + "\n",
        CODEGEN / "call_events.ts": _events({**scalars, **_WORDS}, unions),
    }


def _typescript(scalar: GraphQLScalarType) -> str:
    if LABELS in scalar.extensions:
        return _union(scalar.extensions[LABELS])
    if scalar.name in _NUMBERS:
        return "number"
    return "unknown" if scalar.name in ("json", "jsonb") else "string"


def _union(values: Iterable[str]) -> str:
    return " | ".join(f"'{value}'" for value in values)


def _events(types: Mapping[str, str], unions: Mapping[str, str]) -> str:
    """The file, in which a union has a name: `CallStatus` for `call_status`."""
    told = {type_.rstrip("!") for fields in CALL_EVENTS.values() for type_ in fields.values()}
    named = {name: "".join(f"{word[:1].upper()}{word[1:]}" for word in name.split("_")) for name in sorted(told & unions.keys())}
    aliases = [f"export type {alias} = {unions[name]};" for name, alias in named.items()]
    payloads = [f"  {kind}: {_payload(fields, {**types, **named})};" for kind, fields in CALL_EVENTS.items()]
    return _EVENTS % ("\n".join(aliases), "\n".join(payloads), "\n".join(f"  '{kind}'," for kind in CALL_EVENTS))


def _payload(fields: Mapping[str, str], types: Mapping[str, str]) -> str:
    told = [f"{name}: {types[type_.rstrip('!')]}{'' if type_.endswith('!') else ' | null'}" for name, type_ in fields.items()]
    return f"{{ {'; '.join(told)} }}" if told else "Record<string, never>"


def write() -> None:
    """From a database of its own, as its migrations make it."""
    with migrated_database() as url:
        found = asyncio.run(files(url))
    CODEGEN.mkdir(exist_ok=True)
    for path, text in found.items():
        path.write_text(text)


if __name__ == "__main__":
    write()
