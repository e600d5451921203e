"""Who gets the same bytes: nobody who could see something else by any rule."""

from dataclasses import replace

import pytest

from permissions.expressions import And, Compare, CompareColumns, Constant, Expression, Not, Or, Related, SessionVariable
from permissions.rules import RoleRules
from resolvers.actions.calls.event_feed import CALL_EVENTS, CALLS, FEED, PARTICIPANTS, USERS
from resolvers.feeds.rights.sharing import audience, is_shared
from schema.model import TableName
from tests.subscriptions.listening import Listeners
from tests.support.actions import Api
from tests.support.domain_setup import ALICE, BOB, Setup, product_rules, session

pytestmark = pytest.mark.anyio

ME = SessionVariable("x-hasura-user-id")
OWN = Compare("actor_id", "_eq", ME)
MINE = Compare("initiator_id", "_eq", ME)


def with_filter(rules: RoleRules, table: TableName, filter_: Expression) -> RoleRules:
    return replace(rules, select={**rules.select, table: replace(rules.select[table], filter=filter_)})


async def rules_of(on: Setup, role: str) -> RoleRules:
    return (await product_rules(on.url)).roles[role]


@pytest.mark.parametrize("role", ["user", "moderator", "admin"])
async def test_the_products_own_rules_show_a_call_to_all_alike(on: Setup, role: str) -> None:
    rules = await rules_of(on, role)
    assert is_shared(FEED, rules)
    assert audience(FEED, rules, session(ALICE, role)) == audience(FEED, rules, session(BOB, role))


@pytest.mark.parametrize(
    ("table", "filter_"),
    [
        (CALL_EVENTS, OWN),
        (CALL_EVENTS, And((OWN, Related("call", MINE)))),
        (CALL_EVENTS, Or((Compare("kind", "_eq", Constant("kicked")), Related("call", MINE)))),
        (CALL_EVENTS, Related("actor", Compare("id", "_eq", ME))),
        (CALL_EVENTS, Related("call", CompareColumns("initiator_id", "_ceq", "actor_id", of_root=True))),
        (PARTICIPANTS, Related("call", MINE)),
        (PARTICIPANTS, Compare("user_id", "_eq", ME)),
        (PARTICIPANTS, Not(Related("call", MINE))),
        (USERS, Compare("id", "_eq", ME)),
        (USERS, Not(And((Related("channel_memberships", Compare("user_id", "_eq", ME)),)))),
    ],
)
async def test_a_rule_that_asks_who_it_is_makes_an_audience_of_each(on: Setup, table: TableName, filter_: Expression) -> None:
    rules = with_filter(await rules_of(on, "user"), table, filter_)
    assert not is_shared(FEED, rules)
    assert audience(FEED, rules, session(ALICE)) != audience(FEED, rules, session(BOB))


async def test_a_right_that_is_narrower_is_asked_of_each_and_what_it_shows_is_shared(on: Setup) -> None:
    rules = await rules_of(on, "user")
    narrow = with_filter(with_filter(rules, CALLS, MINE), CALL_EVENTS, Related("call", MINE))
    assert is_shared(FEED, with_filter(narrow, PARTICIPANTS, Related("call", MINE)))
    assert not is_shared(FEED, narrow)


async def test_a_table_that_the_role_does_not_see(on: Setup) -> None:
    rules = await rules_of(on, "user")
    assert not is_shared(FEED, replace(rules, select={name: rule for name, rule in rules.select.items() if name != PARTICIPANTS}))
    assert is_shared(FEED, replace(rules, select={name: rule for name, rule in rules.select.items() if name != USERS}))


async def test_roles_never_share(on: Setup, client: Api, listen: Listeners) -> None:
    rules = {role: await rules_of(on, role) for role in ("user", "moderator", "admin")}
    assert len({audience(FEED, rules[role], session(ALICE, role)) for role in rules}) == len(rules)
