"""Who asks."""

from permissions.session import Session


def USER(user_id: str) -> Session:
    return Session("user", {"x-hasura-role": "user", "x-hasura-user-id": user_id})


READER = Session("reader", {"x-hasura-role": "reader"})
ANONYMOUS = Session("anonymous", {"x-hasura-role": "anonymous"})
NOBODY = Session("nobody")
