"""What people ask of streams, one verb a file.

In: who asks, and for which stream. Out: ids, and a ticket for the host; what LiveKit has to do comes after the commit.
"""
