"""Why a command stops: one sentence that says what to do."""


class Refusal(Exception):
    """The command can't go on; the text is for the person at the terminal and holds no secret."""
