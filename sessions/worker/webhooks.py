"""The job that sends to webhooks what stands in the ledgers."""

import asyncio
import logging
import random
import time

from aegis_project import sealed
from aegis_project.database import read_db, run_db
from aegis_project.kit.errors import AegisError
from sessions.core import webhooks as rules
from sessions.selectors import webhooks
from sessions.services import deliveries
from sessions.services.deliveries import Parcel
from streaming import hints
from streaming.node import Node

logger = logging.getLogger(__name__)

AT_ONCE = 16
SWEEP_SECONDS, LOOK_SECONDS = 30.0, 5.0
MOST_TOUCHED = 1000
TOTAL_SECONDS = 15.0


class Webhooks:
    """
    Write down what webhooks have to hear, and send it.

    Sessions are looked at when a hint names them, and all of them every half minute, because a
    hint may be lost. One receiver that hangs keeps the others waiting for nothing.
    """

    name = "webhooks"
    period_seconds = 1.0

    def __init__(self) -> None:
        self._touched: set[str] = set()
        self._is_heard = True
        self._swept_at = float("-inf")
        self._sending: dict[asyncio.Task[None], Parcel] = {}

    def wants(self, hint: hints.Hint) -> bool:
        if hint.kind == "ledger" and self._is_heard:
            self._touched.add(hint.id)
        # Turns of a second are soon enough; a crowd of events is looked at once.
        return False

    async def run(self, node: Node) -> None:
        """Write down what is new, then send what is due."""
        await self._note()
        free = AT_ONCE - len(self._sending)
        if not self._is_heard or node.lease_id is None or free <= 0:
            return
        for parcel in await run_db(deliveries.claim, lease_id=node.lease_id, limit=free):
            task = asyncio.create_task(self._send(parcel, node), name="aegis-webhook")
            self._sending[task] = parcel
            task.add_done_callback(lambda done: self._sending.pop(done, None))

    async def stop(self, node: Node) -> None:
        """Send no more; what was claimed and not sent is anybody's."""
        tasks = dict(self._sending)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if tasks and node.lease_id is not None:
            await run_db(deliveries.give_back, list(tasks.values()), lease_id=node.lease_id)

    async def _note(self) -> None:
        period = SWEEP_SECONDS if self._is_heard else LOOK_SECONDS
        is_sweep = time.monotonic() - self._swept_at >= period
        if is_sweep:
            self._swept_at = time.monotonic()
            self._is_heard = bool(await read_db(webhooks.active))
            if self._is_heard:
                await run_db(deliveries.forget)
        touched, self._touched = self._touched, set()
        if not self._is_heard or not (is_sweep or touched):
            return
        everywhere = is_sweep or len(touched) > MOST_TOUCHED
        pairs = await read_db(lambda: list(webhooks.behind(None if everywhere else touched)))
        for webhook_id, session_id in pairs:
            while await run_db(deliveries.note, webhook_id=webhook_id, session_id=session_id):
                continue

    async def _send(self, parcel: Parcel, node: Node) -> None:
        lease_id = node.lease_id
        if lease_id is None:
            return
        status, error = await post(parcel)
        if status is not None and rules.is_taken(status):
            await run_db(deliveries.sent, parcel, lease_id=lease_id, status=status)
            return
        await run_db(
            deliveries.failed,
            parcel,
            lease_id=lease_id,
            status=status,
            error=error,
            chance=random.random(),  # noqa: S311 -- it spreads load, it hides nothing
        )


async def post(parcel: Parcel) -> tuple[int | None, str]:
    """The status of the receiver's answer, and what went wrong."""
    from aegis_project import outward  # noqa: PLC0415 -- slow import

    try:
        answer = await outward.request(
            "POST",
            parcel.url,
            bounds=outward.allowed(hosts=("*",), total_seconds=TOTAL_SECONDS, max_bytes=65_536),
            headers=_headers(parcel),
            content=parcel.body,
        )
    except AegisError as failure:
        return None, f"{failure.code}: {failure.message}"
    except Exception:  # one delivery must not keep the others waiting
        logger.exception("A delivery failed", extra={"action": "delivery_failed"})
        return None, "INTERNAL_ERROR"
    return answer.status, "" if rules.is_taken(answer.status) else f"HTTP {answer.status}"


def _headers(parcel: Parcel) -> dict[str, str]:
    id_, now = str(parcel.delivery_id), int(time.time())
    secret = sealed.unseal(parcel.secret)
    signed = rules.signature(secret, id_=id_, timestamp=now, body=parcel.body)
    return {
        "Content-Type": "application/json",
        "Webhook-Id": id_,
        "Webhook-Timestamp": str(now),
        "Webhook-Signature": signed,
        **parcel.headers,
    }
