"""The store of recordings, as the settings name it: for this service, and for LiveKit's recorder."""

from collections.abc import Mapping

from app.livekit.egress.requests import Bucket
from app.settings import ConfigurationError, Settings
from app.storage.s3_store import S3Address


def store_address(settings: Settings) -> S3Address:
    """Where this service reaches the store; ConfigurationError for half a key."""
    if (settings.s3_access_key is None) != (settings.s3_secret_key is None):
        raise ConfigurationError("NCHAT_S3_ACCESS_KEY and NCHAT_S3_SECRET_KEY belong together")
    return S3Address(
        bucket=settings.recording_bucket,
        endpoint=settings.s3_endpoint,
        public_endpoint=settings.s3_public_endpoint,
        region=settings.s3_region,
        access_key=settings.s3_access_key,
        secret_key=_secret(settings),
        path_style=settings.s3_path_style,
        encryption=_encryption(settings),
    )


def bucket_of(settings: Settings) -> Bucket:
    """The same store for a request to LiveKit, with the keys that stay on the server. Its upload has no word for encryption: what the
    bucket does by default holds."""
    return Bucket(
        name=settings.recording_bucket,
        endpoint=settings.s3_endpoint or "",
        region=settings.s3_region,
        access_key=settings.s3_access_key or "",
        secret_key=_secret(settings) or "",
        path_style=settings.s3_path_style,
    )


def _secret(settings: Settings) -> str | None:
    return settings.s3_secret_key.get_secret_value() if settings.s3_secret_key else None


def _encryption(settings: Settings) -> Mapping[str, str]:
    if settings.s3_sse == "none":
        return {}
    key = settings.s3_sse_kms_key_id
    return {"ServerSideEncryption": settings.s3_sse, **({} if key is None else {"SSEKMSKeyId": key})}
