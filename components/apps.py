"""The components app: who is connected."""

from django.apps import AppConfig


class ComponentsConfig(AppConfig):
    """Its label keeps clear of other apps and stands in every migration."""

    name = "components"
    label = "aegis_components"
    verbose_name = "Components"

    def ready(self) -> None:
        """Let the audit hear of who signs in."""
        from components import receivers  # noqa: PLC0415 -- app ready

        receivers.connect()
