"""What those who watch a stream send, and what they are sent.

In: scalars and vocabulary. Out: inputs of actions, and the event of `streamEvents`.
"""
