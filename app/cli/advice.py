"""What to do about a check of /readyz that failed."""

from typing import Final

# By the check, and where that says more by its error.
_ADVICE: Final = {
    (
        "database",
        "postgres-max-connections-error",
    ): "raise PostgreSQL's max_connections, or lower NCHAT_DATABASE_POOL_SIZE",
    ("database", ""): "start PostgreSQL, or correct NCHAT_DATABASE_URL; until then every request is refused",
    ("disk", "storage-full"): "make room on PostgreSQL's disk; until then everything can be read and nothing written",
    ("migrations", "NotMigrated"): "run `nchat-rtc migrate` with this version",
    ("migrations", "DatabaseIsNewer"): "the database belongs to a newer version: replace this process by one of that version",
    ("livekit", "MediaRefused"): "NCHAT_LIVEKIT_API_KEY and NCHAT_LIVEKIT_API_SECRET are not a key of that LiveKit",
    ("livekit", ""): "start LiveKit, or correct NCHAT_LIVEKIT_URL; until then calls get no media",
    (
        "storage",
        "StorageRefused",
    ): "the store refuses: correct NCHAT_S3_ACCESS_KEY, NCHAT_S3_SECRET_KEY, NCHAT_S3_REGION or NCHAT_RECORDING_BUCKET",
    ("storage", ""): "start the store of recordings, or correct NCHAT_S3_ENDPOINT; until then nothing is recorded or played",
    ("hints", ""): "no connection listens for changes of other processes: see Redis or PostgreSQL; they show up to a second late",
    ("redis", ""): "start Redis, or correct NCHAT_REDIS_URL; until then changes show up to a second late",
}


def advice(check: str, error: str) -> str:
    """One sentence for the person at the terminal; empty where another check's says it all."""
    return _ADVICE.get((check, error)) or _ADVICE.get((check, ""), "")
