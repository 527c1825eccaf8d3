"""Serve a default Django REST framework; prints the port that it listens on."""

import os
import socket

import uvicorn

os.environ["DJANGO_SETTINGS_MODULE"] = "benchmarks.interfaces.apps.drf_settings"


def main() -> None:
    """Serve until told to end."""
    from django.core.asgi import get_asgi_application  # noqa: PLC0415 -- app ready

    app = get_asgi_application()
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(128)
    print(listening.getsockname()[1], flush=True)
    settings = uvicorn.Config(app, log_level="error", loop="uvloop", http="httptools")
    uvicorn.Server(settings).run([listening])


if __name__ == "__main__":
    main()
