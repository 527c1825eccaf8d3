"""The streaming app: what is said."""

from django.apps import AppConfig


class StreamingConfig(AppConfig):
    """Its label keeps clear of other apps and stands in every migration."""

    name = "streaming"
    label = "aegis_streaming"
    verbose_name = "Streaming"
