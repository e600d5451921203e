"""Watching a stream: who does, who may, what they feel about it, and what they follow.

In: inputs of `schema/types/audience`. Out: payloads with the stream as the caller may see it, and events of its present state.
"""
