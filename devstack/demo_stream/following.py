"""A subscription that is followed: what it told is kept, and can be waited for."""

import asyncio
from collections.abc import Callable
from typing import Any

from devstack.demo.service import DemoService, Refused


class Following:
    """From now on until `stop`; `field` is the subscription's root field."""

    def __init__(self, service: DemoService, token: str, query: str, field: str, **variables: Any) -> None:
        self.told: list[Any] = []
        self._changed = asyncio.Condition()
        self._task = asyncio.create_task(self._follow(service, token, query, field, variables))

    async def _follow(self, service: DemoService, token: str, query: str, field: str, variables: dict[str, Any]) -> None:
        async with service.subscribe(token, query, **variables) as subscription:
            async for data in subscription:
                async with self._changed:
                    self.told.append(data[field])
                    self._changed.notify_all()

    async def until(self, so: Callable[[Any], bool], *, since: int = 0) -> Any:
        """The first that is `so`, of those after the first `since`; raises what broke the subscription."""
        waiting = asyncio.create_task(self._find(so, since))
        done, _ = await asyncio.wait({waiting, self._task}, return_when=asyncio.FIRST_COMPLETED)
        if waiting not in done:
            waiting.cancel()
            self._task.result()
            raise AssertionError("the subscription ended")
        return waiting.result()

    async def _find(self, so: Callable[[Any], bool], since: int) -> Any:
        async with self._changed:
            await self._changed.wait_for(lambda: any(map(so, self.told[since:])))
            return next(filter(so, self.told[since:]))

    async def refusal(self) -> str:
        """Waits until the service ends it; the code of the error that it ended with."""
        try:
            await asyncio.shield(self._task)
        except Refused as error:
            return error.code
        raise AssertionError("the subscription ended without an error")

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
