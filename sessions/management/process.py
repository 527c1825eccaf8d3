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
        listener=socket.socket(fileno=descriptor),
        trusts_proxy=settings.IS_PRODUCTION,
        on_started=lambda: None,
        give_up=lambda: None,
    )
    return 0 if is_good else 1


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis_project.settings")
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
