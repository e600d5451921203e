"""The settings of answers: how large they may be, and how they are sent."""

from pydantic import Field
from pydantic_settings import BaseSettings


class AnswerSettings(BaseSettings):
    """A part of `Settings`."""

    answer_max_bytes: int = Field(4_194_304, ge=65_536, description="Size of what tables answer to one GraphQL request, in bytes.")
    admin_answer_max_bytes: int = Field(
        67_108_864, ge=65_536, description="The same for the role admin, which exports whole tables; no less than that of the others."
    )
    compress_answers: bool = Field(
        False, description="Whether all answers over HTTP of 1 KiB and more are sent as gzip to who takes it, and not introspection alone."
    )
