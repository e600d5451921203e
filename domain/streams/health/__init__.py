"""The host's cockpit: whether the stream's picture and sound arrive, and where they don't, why.

In: what the host's client reports, the encoder's ingress, the recorder's segments, the room. Out: one state with a sentence and figures,
for the host alone.
"""
