"""What the actions on a stream's chat answer."""

from domain.streams.chat.bans import BanResult
from domain.streams.chat.moderating import MessageResult
from domain.streams.chat.sending import SentResult
from resolvers.hand_written.table_rows import table_row
from schema.table_types.scalars import bigint, uuid
from schema.types.camel_case import camel_type


@camel_type
class StreamChatPayload:
    """A message of a stream; null once it is deleted, but for those who see what is."""

    stream_id: uuid
    message_id: uuid
    message = table_row("nchat_stream_chat", key="message_id", description="The message, as the caller may see it.")


def stream_chat_payload(result: MessageResult) -> StreamChatPayload:
    return StreamChatPayload(stream_id=uuid(result.stream_id), message_id=uuid(result.message_id))


@camel_type
class SendStreamChatPayload(StreamChatPayload):
    """seq is the message's place in the chat."""

    seq: bigint


def send_stream_chat_payload(result: SentResult) -> SendStreamChatPayload:
    return SendStreamChatPayload(stream_id=uuid(result.stream_id), message_id=uuid(result.message_id), seq=bigint(result.seq))


@camel_type
class StreamBanPayload:
    stream_id: uuid
    user_id: uuid
    ban_id: uuid
    ban = table_row("nchat_stream_bans", key="ban_id", description="The ban, as the caller may see it.")
    stream = table_row("nchat_streams", key="stream_id", description="The stream, as the caller may see it.")


def stream_ban_payload(result: BanResult) -> StreamBanPayload:
    return StreamBanPayload(stream_id=uuid(result.stream_id), user_id=uuid(result.user_id), ban_id=uuid(result.ban_id))
