"""Which source of the metadata is served: there is one database."""

from permissions.reading.nodes import MetadataError, Node, Problem

_POSTGRES = frozenset({"postgres", "pg", "citus"})


def postgres_source(document: Node, wanted: str | None, problems: list[Problem]) -> Node | None:
    """The PostgreSQL source of this name; without a name the first that tracks a table, otherwise the first. All others are noted.

    Raises MetadataError when there is none of that name.
    """
    sources = document.required("sources", "The metadata").items("`sources`")
    named = [(_text(source, "name", "default"), source) for source in sources]
    possible = [(name, source) for name, source in named if _text(source, "kind", "postgres") in _POSTGRES]
    served = _chosen(document, possible, wanted)
    for name, source in named:
        if source is not served:
            kind = _text(source, "kind", "postgres")
            sentence = f"Only one PostgreSQL source is served; this one, {name} ({kind}), is left out."
            problems.append(Problem(source.position, sentence))
    return served


def _chosen(document: Node, possible: list[tuple[str, Node]], wanted: str | None) -> Node | None:
    if wanted is None:
        with_tables = [source for _, source in possible if (tables := source.get("tables")) and tables.value]
        return next(iter(with_tables or [source for _, source in possible]), None)
    for name, source in possible:
        if name == wanted:
            return source
    names = ", ".join(name for name, _ in possible) or "none"
    raise MetadataError(Problem(document.position, f"There is no PostgreSQL source {wanted}; there is: {names}."))


def _text(source: Node, key: str, default: str) -> str:
    written = source.get(key)
    return default if written is None else written.text(f"`{key}` of a source")
