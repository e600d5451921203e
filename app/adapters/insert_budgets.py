"""The door of a table is as narrow as that of the action beside it: a person inserts no more than they may start."""

from typing import Final

from domain.errors import RateLimited
from domain.ports import RateLimiter
from permissions.errors import GraphQLRefusal
from permissions.session import ADMIN, Session
from resolvers.run.insert_budgets import InsertBudgets
from schema.model import TableName
from schema.tables.calls import calls

CALLS: Final = TableName("public", calls.name)


def insert_budgets(limiter: RateLimiter) -> InsertBudgets:
    """Each row of `nchat_calls` counts as a call that `initiateCall` starts, in a count of its own; admin has none, as in Hasura.

    Apart, since who writes down a week's calls at once still answers the next one by ringing back.
    """

    async def start_calls(session: Session, rows: int) -> None:
        if session.role == ADMIN or (person := _person(session)) is None:
            return
        try:
            await limiter.hit("initiate", f"rows of {person}", rows)
        except RateLimited as limited:
            raise GraphQLRefusal(limited.code, limited.sentence, retryAfter=limited.retry_after) from limited

    return {CALLS: start_calls}


def _person(session: Session) -> str | None:
    """Whose rows they would be; None where the statement itself refuses them."""
    try:
        return str(session.user_id)
    except GraphQLRefusal:
        return None
