"""Words that a channel's streams refuse, however they are dressed up.

In: a channel's terms and a message. Out: whether the message holds one of them (`docs/decisions/0049`).
"""
