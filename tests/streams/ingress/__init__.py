"""A host's encoder: its way in, what LiveKit says of it, and that nobody's key outlives its stream."""
