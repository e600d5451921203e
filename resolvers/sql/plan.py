"""A compiled statement: one SQL text that returns one JSON value, and how each of its parameters is filled."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from permissions.session import Session
from resolvers.ir import Binder
from schema.model import TableName

# How a statement calls what each of many brings who ask it at once; no response key can look like this.
EACH: Final = "0_each"
_EACH: Final = f'"{EACH}"'
_SECONDS: Final = "CAST(extract(epoch FROM clock_timestamp() - statement_timestamp()) AS float8)"
_PARAMETER: Final = re.compile(r"\$(\d+)")


@dataclass(frozen=True, slots=True)
class Plan:
    """`tables` are those the statement reads, for live queries; `sql` has parameters `$1 … $n`, which stand at these `places` in it."""

    sql: str
    places: Sequence[int]
    binders: tuple[Binder, ...]
    tables: frozenset[TableName]

    def bind(self, session: Session, variables: Mapping[str, Any]) -> list[str | None]:
        """The statement's arguments for one request; raises GraphQLRefusal for a missing session variable."""
        return [binder(session, variables) for binder in self.binders]

    def together(self) -> str:
        """The statement as the answer to each of many: its parameter is what `listed` says of them.

        The rows of the result are the number in that list, from 1, the answer, and the seconds that PostgreSQL has taken until then.
        """
        columns = [f'"{number}"' for number in range(max(1, len(self.binders)))]
        # Of every JSON list PostgreSQL expects as much, so that one plan of its own serves few and many.
        read = "json_to_recordset(CAST(CAST($1 AS TEXT) AS JSON))"
        each = f"ROWS FROM ({read} AS ({', '.join(f'{column} text' for column in columns)})) WITH ORDINALITY AS {_EACH}"
        # The seconds come last, when the answer has taken them.
        return f"SELECT {_EACH}.number, ({self._of_each()}), {_SECONDS} FROM {each}({', '.join(columns)}, number)"  # noqa: S608

    def _of_each(self) -> str:
        pieces, end = list[str](), 0
        for place in self.places:
            if parameter := _PARAMETER.match(self.sql, place):
                pieces += [self.sql[end:place], f'{_EACH}."{int(parameter[1]) - 1}"']
                end = parameter.end()
        return "".join([*pieces, self.sql[end:]])


def listed(each: Iterable[Sequence[str | None]]) -> str:
    """The arguments of many for `Plan.together`; raises JSONEncodeError for what is no text in any encoding."""
    return orjson.dumps([{str(number): value for number, value in enumerate(arguments)} for arguments in each]).decode()


@dataclass(frozen=True, slots=True)
class RowPlan:
    """The plan behind a payload field of rows, and the payload's attributes that hold the keys.

    With `in_list` it answers with an object: by key the text of each payload's row, as JSON.
    """

    plan: Plan
    key_attributes: tuple[str, ...]
    many: bool
    in_list: bool = False
