"""The query `me`: who asks, as the service understood the token."""

from datetime import UTC, datetime
from typing import Final

import strawberry
from strawberry.types import Info

from permissions.session import USER_ID, Session
from resolvers.hand_written.context import Context
from resolvers.hand_written.table_rows import table_row
from schema.table_types.scalars import timestamptz, uuid
from schema.types.camel_case import camel_type

# A token may name a second that is in no calendar; it is one that never comes.
LAST_SECOND: Final = datetime.max.replace(tzinfo=UTC).timestamp()


@camel_type
class MePayload:
    """role is the one of this request, allowedRoles are all that the caller may ask as; without a token userId is null, and without an
    end expiresAt."""

    user_id: uuid | None
    role: str
    allowed_roles: list[str]
    expires_at: timestamptz | None
    user = table_row("nchat_users", key="user_id", description="The person, as the caller may see them.")


async def me(info: Info[Context, None]) -> MePayload:
    """Who asks: what the token says."""
    session = info.context.session
    return MePayload(
        user_id=uuid(session.user_id) if USER_ID in session.variables else None,
        role=session.role,
        allowed_roles=list(session.allowed_roles or (session.role,)),
        expires_at=_moment(session),
    )


def _moment(session: Session) -> timestamptz | None:
    """When the service takes the caller for this person no longer."""
    if session.expires_at is None or session.expires_at > LAST_SECOND:
        return None
    return timestamptz(datetime.fromtimestamp(session.expires_at, UTC).isoformat())


@camel_type
class Query:
    me = strawberry.field(resolver=me, description=me.__doc__)
