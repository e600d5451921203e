"""A CDN that reads one of the store's buckets by itself: which objects it has, and by what address."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Cdn:
    """`url` stands before the keys. `buckets` are the names that rows have for the bucket it reads: what was recorded while the settings
    named another one is not there. None stands for the bucket of recordings."""

    url: str
    buckets: Collection[str | None] = (None,)

    @classmethod
    def over(cls, url: str, bucket: str, *, recordings: str) -> "Cdn":
        """A CDN over this bucket, which may be that of the recordings."""
        return cls(url, (bucket, None) if bucket == recordings else (bucket,))

    def address(self, key: str, bucket: str | None) -> str | None:
        """Where everybody who knows the key reads it; None where the CDN does not have it."""
        return f"{self.url}/{key}" if bucket in self.buckets else None
