"""Who may not see a stream any more: sessions that end without being asked anything, since a token for a room can't be revoked.

In: people whose right an action took (`ending.py`), and all who watch by WebRTC, looked after in rounds (`rounds.py`). Out: ended sessions;
`out_of_room.py` takes them out of the room.
"""
