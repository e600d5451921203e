"""What the bucket of recordings is told once: who may read it with scripts, and that half an upload does not stay."""

from typing import Any, Final

# hls.js follows a redirect over two hosts, at which browsers say `Origin: null`: all may ask, and what is read was signed.
CORS: Final[dict[str, Any]] = {
    "CORSRules": [
        {
            "AllowedOrigins": ["*"],
            "AllowedMethods": ["GET", "HEAD"],
            "AllowedHeaders": ["range"],
            "ExposeHeaders": ["content-range", "etag"],
            "MaxAgeSeconds": 3600,
        }
    ]
}
# An egress that died in the midst of a large file leaves parts that no listing of objects shows and that cost their space.
LIFECYCLE: Final[dict[str, Any]] = {
    "Rules": [
        {
            "ID": "half-uploads",
            "Status": "Enabled",
            "Filter": {"Prefix": ""},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
        }
    ]
}
