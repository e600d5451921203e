"""The engine of the checkout that this runs in, for a test outside it: `python -m tests.support.ask postgresql://…`.

Migrates an empty database and puts the people of the demo there. Each line in is a question, {"who": "alice", "query": …,
"variables": …}, each line out the response to it; the end of the input ends it.
"""

import asyncio
import json
import sys

import migrations
from tests.support.actions import Api, api
from tests.support.domain_setup import NAMES, session, setup

PEOPLE = {name: user_id for user_id, name in NAMES.items()}


async def answer(client: Api, question: str) -> str:
    asked = json.loads(question)
    body = await client.raw(session(PEOPLE[asked["who"]]), asked["query"], asked["variables"])
    return body.decode()


async def converse(url: str) -> None:
    """Until the input ends."""
    async with setup(url) as on, api(on) as client:
        while question := await asyncio.to_thread(sys.stdin.readline):
            sys.stdout.write(f"{await answer(client, question)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    migrations.upgrade(sys.argv[1])
    asyncio.run(converse(sys.argv[1]))
