"""Real media of a recording: the tracks of a room become one sound and one picture, encoded once, written many times.

In: sources of a seat. Out: a file, segments, pictures, put through the outputs of the egress. Everything here runs on threads beside
the event loop; the codecs let it go on meanwhile.
"""

from devstack.media.encoding.encoded_take import EncodedTake

__all__ = ["EncodedTake"]
