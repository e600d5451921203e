"""The settings that say how metadata is served, as Hasura's own say it."""

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings

from schema.naming import Convention


class MetadataSettings(BaseSettings):
    """A part of `Settings`."""

    metadata_source: str | None = Field(
        None, description="The source of foreign metadata (`serve --metadata`) that is served; absent: the first that tracks a table."
    )
    enable_allowlist: bool = Field(
        False,
        validation_alias=AliasChoices("NCHAT_ENABLE_ALLOWLIST", "HASURA_GRAPHQL_ENABLE_ALLOWLIST"),
        description="Whether roles but `admin` get answers only to documents in the metadata's allow list.",
    )
    default_naming_convention: Convention = Field(
        Convention.HASURA,
        validation_alias=AliasChoices("NCHAT_DEFAULT_NAMING_CONVENTION", "HASURA_GRAPHQL_DEFAULT_NAMING_CONVENTION"),
        description="Foreign metadata: `hasura-default` or `graphql-default`, by which names are made where a source's customization says "
        "nothing of it.",
    )
    infer_function_permissions: bool = Field(
        True,
        validation_alias=AliasChoices("NCHAT_INFER_FUNCTION_PERMISSIONS", "HASURA_GRAPHQL_INFER_FUNCTION_PERMISSIONS"),
        description="Foreign metadata: whether who may select from a table may call functions that only read it; else each role needs a "
        "permission.",
    )
    stringify_numeric_types: bool = Field(
        False,
        validation_alias=AliasChoices("NCHAT_STRINGIFY_NUMERIC_TYPES", "HASURA_GRAPHQL_STRINGIFY_NUMERIC_TYPES"),
        description="Foreign metadata: whether `bigint`, `numeric`, `double precision` and `money`, and every aggregate over such a column "
        "but `count`, are answered as text, of which no reader of JSON loses a digit.",
    )
    admin_internal_errors: bool = Field(
        True,
        validation_alias=AliasChoices("NCHAT_ADMIN_INTERNAL_ERRORS", "HASURA_GRAPHQL_ADMIN_INTERNAL_ERRORS"),
        description="Whether the role `admin`, and nobody else, is told what PostgreSQL said to which statement.",
    )
