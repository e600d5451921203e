"""What LiveKit tells of rooms that belong to streams.

In: streams whose rooms have events. Out: what each event changes in its stream. A broadcast is in the room of its call, whose events
these are not.
"""
