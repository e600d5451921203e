"""LiveKit's egress, which records.

In: what a part wants. Out: the domain's `Recorder`.
"""
