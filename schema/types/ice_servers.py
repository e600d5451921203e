"""STUN and TURN servers as WebRTC clients take them."""

from schema.types.camel_case import camel_input, camel_type


@camel_type
class IceServer:
    """One RTCIceServer."""

    urls: list[str]
    username: str | None
    credential: str | None


@camel_type
class IceServersPayload:
    """ttl: seconds until the credentials expire."""

    ice_servers: list[IceServer]
    ttl: int


@camel_input
class IceServersInput:
    """Without a region: the servers of all regions."""

    region: str | None = None
