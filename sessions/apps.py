"""The sessions app: what runs."""

from django.apps import AppConfig


class SessionsConfig(AppConfig):
    """The label differs from the name, because ``sessions`` is taken by Django's own app."""

    name = "sessions"
    label = "aegis_sessions"
    verbose_name = "Sessions"

    def ready(self) -> None:
        """Let sessions hear what happens beneath them."""
        from sessions import receivers  # noqa: PLC0415 -- app ready

        receivers.connect()
