"""Recordings of calls, from the button to a playable file that expires.

In: actions of hosts, what LiveKit says of its egresses, what lies in storage. Out: a recording and its parts, whose statuses are what
storage and LiveKit really hold. An action writes what is wanted and answers; `recorder/` asks LiveKit for it.
"""
