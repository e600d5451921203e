"""A refusal on the bus."""


class PsrpcError(Exception):
    """An answer with one of psrpc's codes: not_found, invalid_argument, unavailable, failed_precondition, internal, …"""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message
