"""Subscriptions to rooms: what happens in a call, what is said at a stream, for any number of people, each event once and in order.

In: a feed's declaration, who follows and from which cursor. Out: the same bytes for all who may see the same. PostgreSQL is the truth, a
hint says when to look, and a follower is a cursor: there is no queue to grow, and nothing that a lost hint could lose.
"""
