"""Every way an action can be refused: the class says the code, its docstring the sentence a person reads."""

from math import ceil
from typing import ClassVar


class ActionError(Exception):
    """The action was refused."""

    code: ClassVar[str]

    def __init__(self, sentence: str | None = None, **extra: object) -> None:
        self.sentence = sentence or (self.__doc__ or "").strip()
        self.extra = extra
        super().__init__(self.sentence)


class NotFound(ActionError):
    """No such thing, or you may not see it."""

    code = "not-found"


class InvalidInput(ActionError):
    """The input is not valid."""

    code = "invalid-input"


class NotAllowed(ActionError):
    """Your role in this call does not allow that."""

    code = "not-allowed"


class CallEnded(ActionError):
    """The call has ended."""

    code = "call-ended"


class CallNotStarted(ActionError):
    """The call has not started yet."""

    code = "call-not-started"


class NotRinging(ActionError):
    """The call is not ringing for you."""

    code = "not-ringing"


class AnsweredElsewhere(ActionError):
    """The call was answered on another device."""

    code = "answered-elsewhere"


class CallFull(ActionError):
    """The call has no free place."""

    code = "call-full"


class ParticipantKicked(ActionError):
    """You were removed from this call."""

    code = "participant-kicked"


class E2eeCall(ActionError):
    """An end-to-end encrypted call can't do that."""

    code = "e2ee-call"


class MediaUnavailable(ActionError):
    """The media server does not answer; try again."""

    code = "media-unavailable"


class RateLimited(ActionError):
    """Too many requests; wait and try again."""

    code = "rate-limited"

    def __init__(self, retry_after: float, sentence: str | None = None) -> None:
        self.retry_after = round(retry_after, 1)
        super().__init__(sentence, retryAfter=self.retry_after)


class TooManyCalls(ActionError):
    """You have too many open calls; end or cancel some."""

    code = "too-many-calls"


class AlreadySharing(ActionError):
    """Someone else is sharing the screen."""

    code = "already-sharing"


class AlreadyRecording(ActionError):
    """The call is being recorded already."""

    code = "already-recording"


class NotRecording(ActionError):
    """The recording is not in a state that allows that."""

    code = "not-recording"


class ConsentNeeded(ActionError):
    """This call is recorded: agree to that first."""

    code = "consent-needed"


class Banned(ActionError):
    """You are banned from this stream."""

    code = "banned"


class StreamNotLive(ActionError):
    """The stream is not in a state that allows that."""

    code = "stream-not-live"


class ReactionsDisabled(ActionError):
    """Reactions are switched off for this stream."""

    code = "reactions-disabled"


class StreamLimit(ActionError):
    """As many streams run as this deployment allows; try again when one has ended."""

    code = "stream-limit"


class ChatDisabled(ActionError):
    """The host has turned the chat off."""

    code = "chat-disabled"


class SlowMode(ActionError):
    """The chat is in slow mode; wait before you write again."""

    code = "slow-mode"

    def __init__(self, retry_after: float) -> None:
        # Rounded up: who waits that long may write.
        self.retry_after = ceil(retry_after * 10) / 10
        super().__init__(retryAfter=self.retry_after)


class BlockedTerm(ActionError):
    """The message holds a word that this channel does not take."""

    code = "blocked-term"


class LegalHold(ActionError):
    """The recording is under legal hold and stays."""

    code = "legal-hold"


class CursorAhead(ActionError):
    """The cursor is beyond the last event: it is of another history, or of another call; read anew and begin without it."""

    code = "cursor-ahead"


class HistoryChanged(ActionError):
    """The database was restored to an older state: what you have may not be true any more; read anew and begin without a cursor."""

    code = "history-changed"
