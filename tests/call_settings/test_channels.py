"""setChannelCallSettings: for those who manage the channel; its members read all but the terms."""

from uuid import uuid4

import pytest

from permissions.session import Session
from tests.support.actions import Api
from tests.support.domain_setup import ALICE, BOB, CAROL, GENERAL, MALLORY, MOD, Setup, session
from tests.support.dump import dump

pytestmark = pytest.mark.anyio
FIELDS = "channel_id auto_record recording_consent visible_blocked_terms"
SET = f"""mutation ($input: SetChannelCallSettingsInput!) {{
    setChannelCallSettings(input: $input) {{ channelId callSettings {{ {FIELDS} }} }}
}}"""
READ = f"{{ nchat_channel_call_settings {{ {FIELDS} }} }}"


async def becomes(on: Setup, role: str) -> None:
    """alice's role in the channel general."""
    await on.database.execute("UPDATE nchat_channel_members SET role = $1 WHERE user_id = $2", role, ALICE)


async def settle(client: Api, **given: object) -> object:
    return (await client.data(session(ALICE), SET, {"input": {"channelId": str(GENERAL), **given}}))["setChannelCallSettings"]


@pytest.mark.parametrize("role", ["owner", "admin", "moderator"])
async def test_who_manages_the_channel_writes_and_reads_all(client: Api, role: str) -> None:
    await becomes(client.on, role)
    row = {"channel_id": str(GENERAL), "auto_record": "off", "recording_consent": "notify", "visible_blocked_terms": []}
    assert await settle(client) == {"channelId": str(GENERAL), "callSettings": row}
    row |= {"auto_record": "second", "visible_blocked_terms": ["spam", "ham"]}
    answer = await settle(client, autoRecord="second", blockedTerms=[" spam", "ham", "spam"])
    assert answer == {"channelId": str(GENERAL), "callSettings": row}
    # What is left out stays.
    answer = await settle(client, recordingConsent="ask")
    assert answer == {"channelId": str(GENERAL), "callSettings": row | {"recording_consent": "ask"}}


async def test_members_read_all_but_the_terms_and_others_nothing(client: Api) -> None:
    await becomes(client.on, "owner")
    await settle(client, autoRecord="host", blockedTerms=["spam"])
    seen = {"channel_id": str(GENERAL), "auto_record": "host", "recording_consent": "notify", "visible_blocked_terms": None}
    assert await client.data(session(BOB), READ) == {"nchat_channel_call_settings": [seen]}
    for who in (session(MALLORY), session(MOD, "moderator")):
        assert await client.data(who, READ) == {"nchat_channel_call_settings": []}
    probed = "{{ nchat_channel_call_settings(where: {{ {} }}) {{ channel_id }} }}"
    assert (await client.refusal(session(BOB), probed.format("blocked_terms: { _is_null: false }")))[0] == "validation-failed"
    # What the field shows somebody is all that they can ask about it.
    for condition in ("_is_null: false", '_contains: ["spam"]', '_eq: ["spam"]'):
        assert await client.data(session(BOB), probed.format(f"visible_blocked_terms: {{ {condition} }}")) == {
            "nchat_channel_call_settings": []
        }
    own = probed.format('visible_blocked_terms: { _contains: ["spam"] }')
    assert await client.data(session(ALICE), own) == {"nchat_channel_call_settings": [{"channel_id": str(GENERAL)}]}
    assert (await client.refusal(Session("anonymous"), READ))[0] == "validation-failed"


@pytest.mark.parametrize(
    ("who", "channel", "code"),
    [
        (session(BOB), GENERAL, "not-allowed"),
        (session(CAROL, "moderator"), GENERAL, "not-allowed"),
        (session(MALLORY), GENERAL, "not-found"),
        (session(MOD, "moderator"), GENERAL, "not-found"),
        (session(ALICE), uuid4(), "not-found"),
        (Session("anonymous"), GENERAL, "validation-failed"),
    ],
    ids=["member", "moderator of the deployment, member here", "stranger", "moderator of the deployment", "no channel", "nobody"],
)
async def test_nobody_else_writes(client: Api, who: Session, channel: object, code: str) -> None:
    await becomes(client.on, "owner")
    before = await dump(client.on.database)
    assert (await client.refusal(who, SET, {"input": {"channelId": str(channel), "autoRecord": "first"}}))[0] == code
    assert await dump(client.on.database) == before


@pytest.mark.parametrize("terms", [[""], ["  "], ["x" * 101], ["a\0"], [str(number) for number in range(1001)]])
async def test_terms_that_are_none(client: Api, terms: list[str]) -> None:
    await becomes(client.on, "owner")
    before = await dump(client.on.database)
    variables = {"input": {"channelId": str(GENERAL), "blockedTerms": terms}}
    assert (await client.refusal(session(ALICE), SET, variables))[0] == "invalid-input"
    assert await dump(client.on.database) == before
