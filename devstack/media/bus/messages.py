"""The messages of psrpc, and those of LiveKit's internal services that its Python package does not hold, described at import."""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor_pb2 import FieldDescriptorProto
from livekit import api

_TYPES: Final = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "int64": FieldDescriptorProto.TYPE_INT64,
    "bytes": FieldDescriptorProto.TYPE_BYTES,
    "bool": FieldDescriptorProto.TYPE_BOOL,
    "float": FieldDescriptorProto.TYPE_FLOAT,
}
# {message: {field: (number, type)}}; a type that begins with a dot is another message.
_Described = dict[str, dict[str, tuple[int, str]]]

_PSRPC: Final[_Described] = {
    "Msg": {"type_url": (1, "string"), "value": (2, "bytes")},
    "Request": {
        "request_id": (1, "string"),
        "client_id": (2, "string"),
        "sent_at": (3, "int64"),
        "expiry": (4, "int64"),
        "multi": (5, "bool"),
        "raw_request": (8, "bytes"),
    },
    "Response": {
        "request_id": (1, "string"),
        "server_id": (2, "string"),
        "sent_at": (3, "int64"),
        "error": (5, "string"),
        "code": (6, "string"),
        "raw_response": (7, "bytes"),
    },
    "ClaimRequest": {"request_id": (1, "string"), "server_id": (2, "string"), "affinity": (3, "float")},
    "ClaimResponse": {"request_id": (1, "string"), "server_id": (2, "string")},
}
_RPC: Final[_Described] = {
    # The kinds are a oneof; on the wire that is what plain fields are.
    "StartEgressRequest": {
        "egress_id": (1, "string"),
        "room_id": (3, "string"),
        "room_composite": (5, ".livekit.RoomCompositeEgressRequest"),
        "track_composite": (6, ".livekit.TrackCompositeEgressRequest"),
        "track": (7, ".livekit.TrackEgressRequest"),
        "web": (11, ".livekit.WebEgressRequest"),
        "participant": (13, ".livekit.ParticipantEgressRequest"),
    },
    "GetIngressInfoRequest": {"ingress_id": (1, "string"), "stream_key": (2, "string")},
    "GetIngressInfoResponse": {"info": (1, ".livekit.IngressInfo"), "token": (2, "string"), "ws_url": (3, "string")},
    "UpdateIngressStateRequest": {"ingress_id": (1, "string"), "state": (2, ".livekit.IngressState")},
    "WHIPRTCConnectionNotifyRequest": {
        "participant_id": (1, "string"),
        "closed": (2, "bool"),
        "video": (3, ".livekit.InputVideoState"),
        "audio": (4, ".livekit.InputAudioState"),
    },
}


def _described(package: str, messages: _Described, needs: tuple[str, ...] = ()) -> dict[str, Any]:
    file = descriptor_pb2.FileDescriptorProto(name=f"devstack_{package}.proto", package=package, syntax="proto3", dependency=needs)
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            added = message.field.add(name=field, number=number, label=FieldDescriptorProto.LABEL_OPTIONAL)
            if kind.startswith("."):
                added.type, added.type_name = FieldDescriptorProto.TYPE_MESSAGE, kind
            else:
                added.type = _TYPES[kind]
    pool = descriptor_pool.Default()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}")) for name in messages}


_psrpc: Final = _described("internal", _PSRPC)
Request: Final = _psrpc["Request"]
Response: Final = _psrpc["Response"]
ClaimRequest: Final = _psrpc["ClaimRequest"]
ClaimResponse: Final = _psrpc["ClaimResponse"]
_rpc: Final = _described("rpc", _RPC, (api.RoomCompositeEgressRequest.DESCRIPTOR.file.name, api.IngressInfo.DESCRIPTOR.file.name))
StartEgressRequest: Final = _rpc["StartEgressRequest"]
GetIngressInfoRequest: Final = _rpc["GetIngressInfoRequest"]
GetIngressInfoResponse: Final = _rpc["GetIngressInfoResponse"]
UpdateIngressStateRequest: Final = _rpc["UpdateIngressStateRequest"]
WHIPRTCConnectionNotifyRequest: Final = _rpc["WHIPRTCConnectionNotifyRequest"]


def packed(message: Any) -> bytes:
    """A message as it is published: in an envelope that names its type."""
    url = f"type.googleapis.com/{message.DESCRIPTOR.full_name}"
    return bytes(_psrpc["Msg"](type_url=url, value=message.SerializeToString()).SerializeToString())


def unpacked(data: bytes) -> Any:
    """The message in a published envelope. Raises KeyError for a type that is none of psrpc's."""
    envelope = _psrpc["Msg"].FromString(data)
    return _psrpc[envelope.type_url.rpartition(".")[2]].FromString(envelope.value)
