"""The streaming app: what is said."""

from django.apps import AppConfig
from django.conf import settings

from aegis_project import slow


class StreamingConfig(AppConfig):
    """Its label keeps clear of other apps and stands in every migration."""

    name = "streaming"
    label = "aegis_streaming"
    verbose_name = "Streaming"

    def ready(self) -> None:
        """Look at how long statements take, in every process alike."""
        slow.limit(settings.ENVIRONMENT.slow_statement_ms / 1000)
        slow.listen_to_all()
