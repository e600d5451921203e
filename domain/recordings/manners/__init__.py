"""How a call's recording begins and ends among people: by itself, with everybody's consent, with a host in the room.

In: a locked call, and who is in it. Out: a recording begun or stopped, and whoever did not agree put out.
"""
