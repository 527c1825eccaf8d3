"""How what programs print gets to the server: posted to it, with a secret of the launcher's own."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from urllib.error import HTTPError
from urllib.request import OpenerDirector, ProxyHandler, Request, build_opener

from django.utils import timezone

from aegis_project.database import run_db
from components.launcher.link import Message
from components.services import launches
from components.services.credentials import Issued
from components.services.launches import Held

TIMEOUT_SECONDS = 5.0
# A secret with less time than this is not shown any more.
RENEW = timedelta(minutes=5)


class Poster:
    """Posts lines to the server that ``url`` tells."""

    def __init__(self, url: Callable[[], str]) -> None:
        self.url = url
        # Both talk to each other directly.
        self.opener: OpenerDirector = build_opener(ProxyHandler({}))
        self._issued: Issued | None = None

    async def publish(self, held: Held, lines: list[Message]) -> None:
        """
        Bring lines of a program to the log of its component.

        :raises OSError: if they did not get there
        """
        secret = await self._secret()
        body = json.dumps({"fence": held.fence, "lines": lines}).encode()
        try:
            await asyncio.to_thread(self._post, held.component_id, secret, body)
        except HTTPError as error:
            error.close()
            # Refused is refused: a session that is over has no log, a lost launch no say.
            if error.code >= 500:
                raise OSError(f"The server answered {error.code}.") from None

    def _post(self, component_id: str, secret: str, body: bytes) -> None:
        request = Request(  # noqa: S310 -- the address is the server's
            f"{self.url()}/api/v1/components/{component_id}/log",
            data=body,
            headers={"Authorization": f"Bearer {secret}", "Content-Type": "application/json"},
        )
        with self.opener.open(request, timeout=TIMEOUT_SECONDS) as response:
            response.read()

    async def _secret(self) -> str:
        found = self._issued
        ends_at = found.credential.expires_at if found else None
        if found is None or ends_at is None or ends_at < timezone.now() + RENEW:
            found = self._issued = await run_db(launches.credential)
        return found.secret
