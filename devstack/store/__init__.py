"""A small S3-compatible store over a folder, for `make run` and the tests: one process, one pair of keys, path-style addresses.

In: signed requests (signature version 4, in the header or in the address). Out: objects in a folder, and S3's own errors. It answers
what a service of recordings asks: objects, ranges, listings, multipart uploads, deletion of many; all else is refused with 501.
"""

from devstack.store.address import StorageAddress
from devstack.store.child import StoreProcess, start
from devstack.store.faults import Faults
from devstack.store.server import application

__all__ = ["Faults", "StorageAddress", "StoreProcess", "application", "start"]
