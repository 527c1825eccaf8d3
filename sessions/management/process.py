"""One of the processes of `aegis serve --processes`: ``… process SERVER DESCRIPTOR``."""

import os
import socket
import sys

import django

from sessions.management import leash


def main(server: str, descriptor: int) -> int:
    """Serve on an inherited listening socket until the parent says otherwise, or is gone."""
    leash.hold()
    django.setup()
    from django.conf import settings  # noqa: PLC0415 -- app ready

    from sessions.management import servers  # noqa: PLC0415 -- app ready

    is_good = servers.serve(
        servers.Server(server),
        application=servers.application(),
        listener=inherited(descriptor),
        trusts_proxy=settings.IS_PRODUCTION,
        on_started=lambda: None,
        give_up=lambda: None,
    )
    return 0 if is_good else 1


def inherited(descriptor: int) -> socket.socket:
    """
    The listening socket of the parent, which does not block, whatever is made of it here.

    Whether it blocks is one flag for all who share it. A copy of a socket takes over what Python
    thinks of it, and for one made of a descriptor that is that it blocks: the processes that serve
    already would then stand still in their next ``accept``.
    """
    listener = socket.socket(fileno=descriptor)
    listener.settimeout(0)
    return listener


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis_project.settings")
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
