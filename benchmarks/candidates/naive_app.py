"""The naive fan-out that Channels teaches: a consumer that sends what its group is sent."""

import os
import sys
import tempfile
from typing import Any

import django
from django.conf import settings

GROUP = "everybody"


def configure(layer: str) -> None:
    """Django as a new project has it, with a database, and the channel layer that was asked for."""
    layers: dict[str, Any] = {
        "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
        "redis": {
            "BACKEND": "channels_redis.core.RedisChannelLayer",
            "CONFIG": {"hosts": [os.environ.get("NAIVE_REDIS_URL")]},
        },
        "tuned": {
            "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
            "CONFIG": {"hosts": [os.environ.get("NAIVE_REDIS_URL")]},
        },
    }
    database = os.path.join(tempfile.mkdtemp(prefix="naive-"), "db.sqlite3")
    settings.configure(
        SECRET_KEY="benchmark",  # noqa: S106 -- it protects nothing
        INSTALLED_APPS=["daphne", "channels"],
        CHANNEL_LAYERS={"default": layers[layer]},
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": database}},
    )
    django.setup()


def everybody() -> type[Any]:
    """The consumer as it is taught."""
    # app ready
    from channels.generic.websocket import AsyncJsonWebsocketConsumer  # noqa: PLC0415

    class Everybody(AsyncJsonWebsocketConsumer):
        """Joins the group, and sends to the group what it receives."""

        async def connect(self) -> None:
            await self.channel_layer.group_add(GROUP, self.channel_name)
            await self.accept()

        async def disconnect(self, code: int) -> None:
            await self.channel_layer.group_discard(GROUP, self.channel_name)

        async def receive_json(self, content: Any, **_: Any) -> None:
            await self.channel_layer.group_send(GROUP, {"type": "say", "content": content})

        async def say(self, event: dict[str, Any]) -> None:
            await self.send_json(event["content"])

    return Everybody


def tuned(consumer: type[Any]) -> type[Any]:
    """
    The same without what can be left out of Channels.

    Text goes through as it came, and no message waits for a thread that looks after database
    connections: this consumer has none. (The pub/sub layer has no capacity to raise.)
    """
    # app ready
    from channels.consumer import get_handler_name  # noqa: PLC0415

    class Tuned(consumer):  # type: ignore[misc]  # Channels ships no types
        """Sends text as it is, and is called without the dispatch."""

        async def receive(self, text_data: str | None = None, **_: Any) -> None:
            await self.channel_layer.group_send(GROUP, {"type": "say", "text": text_data})

        async def say(self, event: dict[str, Any]) -> None:
            await self.send(text_data=event["text"])

        async def dispatch(self, message: dict[str, Any]) -> None:
            await getattr(self, get_handler_name(message))(message)

    return Tuned


def application(*, is_tuned: bool) -> Any:
    """The consumer at any address."""
    taught = everybody()
    consumer = (tuned(taught) if is_tuned else taught).as_asgi()

    async def serve(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for answer in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{answer}.complete"})
        else:
            await consumer(scope, receive, send)

    return serve


def main(server: str, layer: str) -> None:
    """Serve on a free port, which is printed, with the same settings as `aegis serve`."""
    configure(layer)
    # app ready
    from sessions.management import listening, servers  # noqa: PLC0415

    listener = listening.bind("127.0.0.1", 0)
    port = listening.port_of(listener)
    servers.serve(
        servers.Server(server),
        application=application(is_tuned=layer == "tuned"),
        listener=listener,
        trusts_proxy=False,
        on_started=lambda: print(port, flush=True),
        give_up=lambda: None,
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
