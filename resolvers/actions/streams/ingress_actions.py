"""resetStreamIngress."""

from domain.streams.ingress import reset
from domain.streams.ingress.reset import IngressResult
from domain.world import World
from permissions.session import Session
from resolvers.actions.action import action
from resolvers.hand_written.table_rows import table_row
from schema.table_types.scalars import uuid
from schema.types.camel_case import camel_type
from schema.types.streams_ingress import ResetStreamIngressInput


@camel_type
class ResetStreamIngressPayload:
    """Address and key for an encoder; the key is told this once."""

    stream_id: uuid
    rtmp_ingest_url: str
    stream_key: str
    stream = table_row("nchat_streams", key="stream_id", description="The stream, as the caller may see it.")


async def reset_stream_ingress(world: World, session: Session, input: ResetStreamIngressInput) -> ResetStreamIngressPayload:
    """A new key for the encoder; the old one stops working, and whoever sends with it is cut off. For the host."""
    return _payload(await reset.reset_stream_ingress(world, session, input.stream_id))


def _payload(result: IngressResult) -> ResetStreamIngressPayload:
    way_in = result.way_in
    return ResetStreamIngressPayload(stream_id=uuid(result.stream_id), rtmp_ingest_url=way_in.url, stream_key=way_in.stream_key)


@camel_type
class Mutation:
    reset_stream_ingress = action(reset_stream_ingress)
