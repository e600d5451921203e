"""What a participant says of oneself: raiseHand, lowerHand, reportConnectionQuality."""

from domain.calls.actions import own_state
from domain.calls.actions.own_state import Quality
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.actions.calls.payloads import ParticipantPayload, participant_payload
from resolvers.actions.input_words import object_of, one_of
from schema.types.calls import LowerHandInput, RaiseHandInput, ReportConnectionQualityInput
from schema.types.camel_case import camel_type


async def raise_hand(world: World, session: Session, input: RaiseHandInput) -> ParticipantPayload:
    """Raises one's hand."""
    return participant_payload(await own_state.raise_hand(world, session, input.call_id))


async def lower_hand(world: World, session: Session, input: LowerHandInput) -> ParticipantPayload:
    """Lowers one's hand."""
    return participant_payload(await own_state.lower_hand(world, session, input.call_id))


async def report_connection_quality(world: World, session: Session, input: ReportConnectionQualityInput) -> ParticipantPayload:
    """Tells how good one's own connection is."""
    said, stats = one_of(Quality, "quality", input.quality), object_of("stats", input.stats)
    return participant_payload(await own_state.report_connection_quality(world, session, input.call_id, said, stats))


@camel_type
class Mutation:
    raise_hand = action(raise_hand)
    lower_hand = action(lower_hand)
    report_connection_quality = action(report_connection_quality)
