"""What is said at a stream, and who may not speak there any more.

In: messages, what moderators do to them and to people, bans that run out. Out: rows and events on one gapless sequence of the stream, and
hints on `stream_chat:<id>`, which the subscription streamChat follows.
"""
