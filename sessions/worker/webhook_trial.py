"""Sending a test to a webhook at once, for somebody who looks at what comes back."""

import asyncio
from uuid import UUID

from aegis_project.kit.principal import Principal
from sessions.services import webhooks
from sessions.worker.webhooks import post
from streaming.api.sse import let_go_of_database


def send(*, principal: Principal, webhook: UUID | str) -> tuple[int | None, str]:
    """
    The status of the receiver's answer and what went wrong, in the caller's thread, within 15 s.

    Nothing of it is kept but the audit; whatever became of it, nothing is sent again.

    :raises WebhookNotFound: if it is not there for the principal
    :raises SecretUnreadable: if its secret was sealed with another secret key
    """
    parcel = webhooks.trial(principal=principal, webhook=webhook).parcel
    let_go_of_database()
    return asyncio.run(post(parcel))
