"""Every setting of the service, from the environment. One object, built once at the start and passed around."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit, urlunsplit

from pydantic import AliasChoices, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from app.settings.answers import AnswerSettings
from app.settings.authentication import AuthenticationSettings
from app.settings.errors import ConfigurationError
from app.settings.forms import (
    EncryptionKeys,
    HttpUrl,
    LinkSecret,
    LiveKitUrl,
    Networks,
    Origins,
    PostgresUrl,
    RedisUrl,
    WebhookSecret,
    Words,
)
from app.settings.metadata import MetadataSettings
from app.settings.secret_files import SecretFiles

# As the `limits` library writes them: "10/minute", "10 per 10 second".
Rate = Annotated[str, Field(pattern=r"^\d+\s*(/|per)\s*(\d+\s*)?(second|minute|hour|day)s?$")]

_SHORTEST_LIVEKIT_SECRET = 32
# Seconds. Longer times are slips of the pen, and in no calendar once they are long enough.
_YEAR = 365 * 86_400
# No store takes a presigned address that lives longer than a week.
_LONGEST_PRESIGNED = 7 * 86_400


def _also(name: str, *aliases: str) -> Any:
    """The setting's own variable first, then the names that other programs of a deployment use for the same thing."""
    return AliasChoices(name, *aliases)


class Settings(AnswerSettings, MetadataSettings, AuthenticationSettings):
    """`Settings()` reads the environment; a keyword beats it. Secrets never show in `repr`, logs or errors."""

    model_config = SettingsConfigDict(
        env_prefix="NCHAT_", frozen=True, extra="ignore", env_ignore_empty=True, populate_by_name=True, hide_input_in_errors=True
    )

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    workers: int = Field(1, ge=1, description="Processes of the service behind that port; they share hints and rate limits through Redis.")
    public_url: HttpUrl = Field(
        "http://127.0.0.1:8000",
        validation_alias=_also("NCHAT_PUBLIC_URL", "BACKEND_URL"),
        description="Where clients reach this service, without a slash at the end.",
    )
    call_page_url: HttpUrl | None = Field(
        None, description="Where the product shows calls: a call's id follows, behind a slash. Absent: calendars name the public URL."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="The least severe log line that is written.")
    log_format: Literal["json", "console"] = Field("json", description="One JSON object a line, or text for a terminal.")

    database_url: PostgresUrl = Field(
        SecretStr("postgresql://127.0.0.1:5432/nchat"),
        validation_alias=_also("NCHAT_DATABASE_URL", "DATABASE_URL"),
        description="PostgreSQL, as `postgresql://user:password@host:port/database`.",
    )
    database_pool_size: int = Field(
        10,
        ge=1,
        description="Statements of requests at once, in each process; live queries have three tenths as many beside them.",
    )
    statements_per_principal: int = Field(
        4, ge=1, description="Statements of one person, or of one address without a token, that run at once in each process."
    )
    statement_timeout: float = Field(5.0, gt=0, description="Longest time of a GraphQL request's statement in PostgreSQL, in seconds.")
    admin_statement_timeout: float = Field(30.0, gt=0, description="The same for the role `admin`.")
    live_queries_per_principal: int = Field(200, ge=1, description="Live queries of one principal that are open at once in each process.")
    redis_url: RedisUrl | None = Field(
        None,
        validation_alias=_also("NCHAT_REDIS_URL", "REDIS_URL"),
        description="Redis or Valkey for hints and rate limits between processes; absent: each process counts for itself.",
    )
    hints: Literal["memory", "postgres"] | None = Field(
        None,
        description="Without Redis: hints go through PostgreSQL or stay in the process; absent: PostgreSQL with several workers.",
    )

    encryption_keys: EncryptionKeys = Field(
        (), description="Keys for secrets at rest (32 bytes in URL-safe base64), separated by commas. The first writes, all read."
    )

    cors_origins: Origins = Field((), description="Origins whose pages may call the service, separated by commas; `*` for any.")
    websocket_origins: Origins = Field(
        (),
        description="Origins whose pages may open a websocket, separated by commas; empty: those of CORS. Its own always may.",
    )
    max_request_bytes: int = Field(1_048_576, ge=1024, description="Size of a request's body that is still read, in bytes.")
    headers_max_bytes: int = Field(32_768, ge=4096, description="Size of a request's line and headers, in bytes.")
    connections_per_address: int = Field(
        1000, ge=1, description="Connections of one address (a /64 of IPv6) that one process keeps open; trusted proxies have no limit."
    )
    trusted_proxies: Networks = Field(
        ("127.0.0.1", "::1"),
        description="Addresses and networks of proxies whose `X-Forwarded-For` names the client, separated by commas.",
    )
    socket_max_operations: int = Field(
        100, ge=1, description="Operations that run at once on one websocket, and streams of events of one principal in each process."
    )
    unsent_max_bytes: int = Field(
        67_108_864,
        ge=1_048_576,
        description="Finished answers that clients have yet to take, in bytes, in one process; beyond that the slowest are disconnected.",
    )
    query_max_depth: int = Field(
        20, ge=1, description="Levels of relationships in a GraphQL operation, and of conditions inside conditions."
    )
    query_max_cost: int = Field(
        10_000,
        ge=100,
        description="What one GraphQL operation, or a batch, may cost: 1 for a field or value, 6 to 60 for a table by the role's rule.",
    )
    rate_limit_initiate: Rate = Field("10/minute", description="Calls that one user may start.")
    rate_limit_token: Rate = Field("30/minute", description="LiveKit tokens that one user may ask for.")
    rate_limit_quality: Rate = Field("60/minute", description="Reports of one user's connection quality.")
    rate_limit_destination: Rate = Field("30/minute", description="Destinations of streams that one user may add or change.")
    rate_limit_health: Rate = Field("60/minute", description="Reports of one host's client on a stream.")
    rate_limit_clip: Rate = Field("10/minute", description="Clips that one user may cut.")
    rate_limit_chat: Rate = Field("10 per 10 second", description="Messages that one user may write at streams.")
    rate_limit_chat_moderator: Rate = Field(
        "50 per 10 second", description="Messages beyond those, for the host and the moderators of a stream."
    )
    rate_limit_reaction: Rate = Field("20 per 10 second", description="Reactions to streams that one user may send.")
    rate_limit_anonymous_join: Rate = Field("20/minute", description="Streams that callers without a token may join from one address.")

    livekit_enabled: bool = Field(True, description="Whether calls have media; without it call actions answer `media-unavailable`.")
    livekit_url: LiveKitUrl = Field(
        "http://127.0.0.1:7880",
        validation_alias=_also("NCHAT_LIVEKIT_URL", "LIVEKIT_URL"),
        description="Where this service reaches LiveKit (http, https, ws or wss).",
    )
    livekit_public_url: LiveKitUrl | None = Field(
        None, description="Where clients reach LiveKit; absent: the same address as a websocket URL."
    )
    livekit_api_key: str = Field(
        "devkey", validation_alias=_also("NCHAT_LIVEKIT_API_KEY", "LIVEKIT_API_KEY"), description="Name of the key that signs for LiveKit."
    )
    livekit_api_secret: SecretStr | None = Field(
        None,
        validation_alias=_also("NCHAT_LIVEKIT_API_SECRET", "LIVEKIT_API_SECRET"),
        description="Secret of that key, at least 32 characters.",
    )
    livekit_webhook_key: str | None = Field(None, description="Name of the key that signs webhooks; absent: the API key.")
    livekit_token_ttl: int = Field(600, ge=30, le=_YEAR, description="Life of a LiveKit token in seconds. LiveKit can't revoke one.")

    turn_enabled: bool = Field(False, description="Whether `iceServers` hands out TURN credentials.")
    turn_urls: Words = Field((), description="STUN and TURN servers, separated by commas; absent: the usual four addresses at the domain.")
    turn_domain: str | None = Field(None, description="Host and realm of the TURN server.")
    turn_secret: SecretStr | None = Field(
        None, validation_alias=_also("NCHAT_TURN_SECRET", "TURN_SECRET"), description="coturn's `static-auth-secret`."
    )
    turn_credential_ttl: int = Field(86_400, ge=60, le=_YEAR, description="Life of a TURN credential in seconds.")

    max_call_participants: int = Field(100, ge=2, description="People in one call.")
    max_open_calls: int = Field(100, ge=1, description="Calls of one user that are open at a time: scheduled or started, and not over.")
    max_call_minutes: int = Field(480, ge=1, le=_YEAR // 60, description="A call's longest duration in minutes.")

    recording_enabled: bool = Field(
        True,
        description="Whether calls can be recorded; it needs a store and LiveKit's egress. What was recorded plays and expires anyway.",
    )
    recording_bucket: str = Field(
        "nchat-recordings",
        validation_alias=_also("NCHAT_RECORDING_BUCKET", "MINIO_RECORDING_BUCKET"),
        description="Bucket of the recordings. Nobody but this service and LiveKit's egress needs access to it.",
    )
    recording_default_policy: str = Field("pro", description="Name of the retention policy that holds where no other does.")
    recording_templates: Words = Field(
        (),
        description="Pages that compose a recording of the layout custom, as `name=https://address`, separated by commas.",
    )
    max_recording_minutes: int = Field(
        480, ge=1, le=_YEAR // 60, description="A recording's longest duration in minutes, pauses not counted."
    )
    destinations_on_loopback: bool = Field(
        False, description="Whether streams may be sent on to this machine itself (127.0.0.0/8, ::1). For development alone."
    )
    streaming_enabled: bool = Field(
        True, description="Whether streams can begin; they need a store and LiveKit's egress. What runs ends, and plays, anyway."
    )
    stream_bucket: str = Field(
        "nchat-streams",
        validation_alias=_also("NCHAT_STREAM_BUCKET", "MINIO_STREAM_BUCKET"),
        description="Bucket of the streams' media, in the same store as the recordings; it may be the same bucket.",
    )
    max_concurrent_streams: int = Field(10, ge=1, description="Streams that run at a time, each of which takes a recorder.")
    stream_keep_hours: int = Field(
        24, ge=1, le=_YEAR // 3600, description="So many hours a stream that is not recorded can be watched after its end."
    )
    hls_segment_seconds: int = Field(
        4, ge=1, le=10, description="Seconds of a segment of streams and recordings, 10 at most; what runs keeps what it began with."
    )
    streaming_dash: bool = Field(False, description="Whether public streams are repackaged as DASH besides HLS, by `NCHAT_FFMPEG`.")
    ffmpeg: str | None = Field(
        None, description="The `ffmpeg` program, which joins a recording's parts to one file; absent: the playlist alone has all of them."
    )
    s3_endpoint: HttpUrl | None = Field(
        None,
        validation_alias=_also("NCHAT_S3_ENDPOINT", "MINIO_ENDPOINT"),
        description="Where this service and LiveKit's egress reach the S3-compatible store; absent: AWS.",
    )
    s3_public_endpoint: HttpUrl | None = Field(None, description="Where browsers reach the store; absent: the same address.")
    s3_access_key: str | None = Field(
        None,
        validation_alias=_also("NCHAT_S3_ACCESS_KEY", "MINIO_ACCESS_KEY"),
        description="Name of the key for the store; absent: what boto3 finds, and the egress's own configuration.",
    )
    s3_secret_key: SecretStr | None = Field(
        None, validation_alias=_also("NCHAT_S3_SECRET_KEY", "MINIO_SECRET_KEY"), description="Secret of that key."
    )
    s3_region: str = Field("us-east-1", description="Region of the store.")
    s3_path_style: bool = Field(True, description="Whether the bucket stands in the path of an address, not in its host.")
    s3_sse: Literal["none", "AES256", "aws:kms"] = Field(
        "none", description="How the store encrypts what this service writes; what LiveKit's egress writes follows the bucket's default."
    )
    s3_sse_kms_key_id: str | None = Field(None, description="The key of `aws:kms`; absent: the store's own.")

    link_key: LinkSecret | None = Field(
        None,
        description="Signs links to media, at least 32 characters; absent: derived from the first encryption key; without one, no links.",
    )
    media_link_ttl: int = Field(
        900,
        ge=10,
        le=_LONGEST_PRESIGNED,
        description="Life of a link to a file or a picture in seconds, rounded up to 5 full minutes; a week at most.",
    )
    playback_link_ttl: int = Field(
        43_200, ge=10, le=_YEAR, description="The same of a link to a playlist, a year at most; the right is checked at each reload."
    )

    stream_cdn_url: HttpUrl | None = Field(
        None,
        validation_alias=_also("NCHAT_STREAM_CDN_URL", "CDN_URL"),
        description="A CDN over the bucket of streams, before their keys. Segments of public ones come from there; absent: signed.",
    )
    embed_origins: Origins = Field(
        (), description="Origins whose pages may show `/embed/…` in a frame, separated by commas, its own always; absent: any."
    )

    push_webhook_url: HttpUrl | None = Field(None, description="Where pushes for people's devices are delivered; absent: nowhere.")
    push_webhook_secret: WebhookSecret | None = Field(
        None, description="Signs them: 24 to 64 bytes in base64, with or without `whsec_` before it."
    )

    event_webhook_url: HttpUrl | None = Field(None, description="Where the deployment is told of finished recordings; absent: nowhere.")
    event_webhook_secret: WebhookSecret | None = Field(None, description="Signs that, in the form of the push service's secret.")

    @field_validator(
        "encryption_keys",
        "cors_origins",
        "websocket_origins",
        "turn_urls",
        "trusted_proxies",
        "recording_templates",
        "embed_origins",
        mode="before",
    )
    @classmethod
    def _split(cls, value: object) -> object:
        return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value

    @field_validator("recording_templates", mode="after")
    @classmethod
    def _named_pages(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(name and address.startswith(("http://", "https://")) for name, _, address in (one.partition("=") for one in value)):
            raise ValueError("is not of the form name=https://address,name=https://address")
        return value

    @field_validator("public_url", "stream_cdn_url", mode="after")
    @classmethod
    def _without_slash(cls, value: str | None) -> str | None:
        return None if value is None else value.rstrip("/")

    @model_validator(mode="after")
    def _secrets_are_there(self) -> Self:
        if self.turn_enabled and self.turn_secret is None:
            raise ValueError("NCHAT_TURN_ENABLED needs NCHAT_TURN_SECRET")
        if self.s3_sse_kms_key_id is not None and self.s3_sse != "aws:kms":
            raise ValueError("NCHAT_S3_SSE_KMS_KEY_ID needs NCHAT_S3_SSE=aws:kms")
        if self.push_webhook_url is not None and self.push_webhook_secret is None:
            raise ValueError("NCHAT_PUSH_WEBHOOK_URL needs NCHAT_PUSH_WEBHOOK_SECRET")
        if self.event_webhook_url is not None and self.event_webhook_secret is None:
            raise ValueError("NCHAT_EVENT_WEBHOOK_URL needs NCHAT_EVENT_WEBHOOK_SECRET")
        if self.streaming_dash and self.ffmpeg is None:
            raise ValueError("NCHAT_STREAMING_DASH needs NCHAT_FFMPEG")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """A keyword beats the environment, which beats a file of defaults; `…_FILE` is part of the environment.

        A secret's file is not given where the environment has the secret by the same name, or one that comes before it.
        """
        return init_settings, SecretFiles(settings_cls), env_settings, dotenv_settings

    @property
    def broker(self) -> Literal["redis", "postgres", "memory"]:
        """What carries hints. Nobody is asked about several workers of one machine; of other machines only the operator knows."""
        if self.redis_url is not None:
            return "redis"
        return self.hints or ("postgres" if self.workers > 1 else "memory")

    @property
    def livekit_client_url(self) -> str:
        """The websocket URL that clients connect to."""
        return self.livekit_public_url or _with_scheme(self.livekit_url, {"http": "ws", "https": "wss"})

    @property
    def livekit_api_url(self) -> str:
        """The HTTP URL of LiveKit's API."""
        return _with_scheme(self.livekit_url, {"ws": "http", "wss": "https"})

    def livekit_secret(self) -> str:
        """The secret that signs for LiveKit; raises ConfigurationError when it is missing or too short to sign with."""
        if self.livekit_api_secret is None:
            raise ConfigurationError("NCHAT_LIVEKIT_API_SECRET is not set (NCHAT_LIVEKIT_ENABLED=false serves without media)")
        secret = self.livekit_api_secret.get_secret_value()
        if len(secret) < _SHORTEST_LIVEKIT_SECRET:
            raise ConfigurationError(f"NCHAT_LIVEKIT_API_SECRET needs at least {_SHORTEST_LIVEKIT_SECRET} characters")
        return secret

    @property
    def database_variables(self) -> dict[str, str]:
        """What triggers of ours read from each connection."""
        return {"nchat.max_open_calls": str(self.max_open_calls)}

    @property
    def store_origin(self) -> str:
        """Where browsers reach the store, without a path; empty for AWS's and for none."""
        parts = urlsplit(self.s3_public_endpoint or self.s3_endpoint or "")
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    @property
    def has_store(self) -> bool:
        """Whether there is a store of recordings, one that is named or AWS's: what is in it plays and expires, also where nothing is
        recorded any more."""
        return self.s3_endpoint is not None or self.s3_access_key is not None

    @property
    def records(self) -> bool:
        """Whether recordings begin: that is wanted, and there is what they need."""
        return self.livekit_enabled and self.recording_enabled and self.has_store

    @property
    def templates(self) -> dict[str, str]:
        """Addresses of the custom layouts by their names."""
        return {name: address for name, _, address in (one.partition("=") for one in self.recording_templates)}

    @property
    def signs_webhooks(self) -> str:
        """The name of the key that LiveKit signs its webhooks with."""
        return self.livekit_webhook_key or self.livekit_api_key


def load_settings(defaults: Path | None = None, **overrides: object) -> Settings:
    """The settings of this process: keywords first, then the environment, then the file of defaults, if there is one."""
    given: dict[str, Any] = {name: value for name, value in overrides.items() if value is not None}
    return Settings(_env_file=defaults, **given)


def environment_names(name: str) -> Sequence[str]:
    """The variables that a field is read from, its own first."""
    alias = Settings.model_fields[name].validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices]
    return [f"NCHAT_{name.upper()}"]


def _with_scheme(url: str, schemes: dict[str, str]) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme=schemes.get(parts.scheme, parts.scheme))).rstrip("/")
