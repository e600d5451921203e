"""From what the domain did to what an action answers."""

import dataclasses
from typing import Any, TypeVar

from domain.calls.tickets import Ticket
from domain.ports import IceServer as DomainIceServer
from schema.types.ice_servers import IceServer

Payload = TypeVar("Payload")
NO_TICKET = {"token": None, "server_url": None, "ice_servers": None, "expires_at": None}


def answer(payload: type[Payload], result: Any) -> Payload:
    """The payload filled with the fields of the same name of a domain result; a `ticket` lends its own fields."""
    given = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    if "ticket" in given:
        given |= NO_TICKET if given["ticket"] is None else _spread(given["ticket"])
    definition: Any = payload
    return payload(**{field.name: given[field.name] for field in dataclasses.fields(definition) if field.init})


def ice_server_list(servers: tuple[DomainIceServer, ...]) -> list[IceServer]:
    return [IceServer(urls=list(one.urls), username=one.username, credential=one.credential) for one in servers]


def _spread(ticket: Ticket) -> dict[str, object]:
    """Times as PostgreSQL writes them in JSON."""
    return {
        "room_name": ticket.room_name,
        "token": ticket.token,
        "server_url": ticket.server_url,
        "ice_servers": ice_server_list(ticket.ice_servers),
        "expires_at": ticket.expires_at.isoformat(),
    }
