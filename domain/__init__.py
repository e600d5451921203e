"""What happens: a call's life as guarded transitions over one transaction, and the ports to the outside world.

`calls/` is what a call is and may become, `calls/actions/` what people do. Above them what sets things going: `webhooks/` (LiveKit's
word), `timeouts/` (the clock), `reconciler/` (what is found at LiveKit). `feeds/` is what people follow. All act in one `world.py`, and
on the outside through `ports.py`.
"""
