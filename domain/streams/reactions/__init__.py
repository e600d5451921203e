"""What people feel about a stream, sent in bursts: written in batches, counted by triggers.

In: one reaction at a time. Out: rows of `nchat_stream_reactions`, and an answer to each when it is committed.
"""
