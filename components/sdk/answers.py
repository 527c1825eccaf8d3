"""Questions on the data socket and the answers that belong to them."""

import asyncio
from itertools import count

from aegis_project.kit.errors import AegisError
from components.core.errors import ConnectionLost
from components.sdk import errors
from components.sdk.wire import Inbound


class Answers:
    """One future for each id that was asked with and not answered."""

    def __init__(self) -> None:
        self._ids = count(1)
        self._open: dict[int, asyncio.Future[Inbound]] = {}

    def number(self) -> int:
        """A new id, for what needs no answer."""
        return next(self._ids)

    def ask(self) -> tuple[int, asyncio.Future[Inbound]]:
        """A new id and what will be its answer."""
        ref = self.number()
        future = asyncio.get_running_loop().create_future()
        self._open[ref] = future
        future.add_done_callback(lambda _: self._open.pop(ref, None))
        return ref, future

    def answer(self, frame: Inbound) -> bool:
        """Give a frame to who asked; False if nobody did."""
        ref = frame.ref if frame.COMMAND == "ERROR" else frame.id
        future = self._open.get(ref) if isinstance(ref, int) else None
        if future is None or future.done():
            return False
        if frame.COMMAND == "ERROR":
            future.set_exception(errors.told(frame.code, frame.message, frame.details))
        else:
            future.set_result(frame)
        return True

    def fail(self, error: AegisError | None = None) -> None:
        """Tell everybody who waits that no answer will come on this connection."""
        for future in list(self._open.values()):
            if not future.done():
                future.set_exception(error or ConnectionLost())
