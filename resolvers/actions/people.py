"""People of the domain as GraphQL shows them."""

from domain.feeds import people
from schema.scalars import uuid
from schema.types.call_events import Person


def person(who: people.Person | None) -> Person | None:
    return None if who is None else Person(id=uuid(who.id), display_name=who.display_name, avatar_url=who.avatar_url)
