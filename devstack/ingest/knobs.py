"""How the worker that takes encoders errs on demand."""

from dataclasses import dataclass


@dataclass(slots=True)
class Knobs:
    """`accepts` off is a worker without room for another. `throttle_kbps` (0: none) is how much it takes of each encoder, as a network that
    is too slow does: the encoder has to wait. `report_seconds` pass between two reports of who goes on publishing."""

    accepts: bool = True
    throttle_kbps: float = 0.0
    report_seconds: float = 60.0
