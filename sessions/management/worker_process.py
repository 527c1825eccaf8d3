"""One of the processes of `aegis worker --processes`."""

import os

import django

from sessions.management import leash


def main() -> None:
    """Work until the parent says otherwise, or is gone."""
    leash.hold()
    django.setup()
    from sessions.management import aegis_worker  # noqa: PLC0415 -- app ready

    aegis_worker.run()


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis_project.settings")
    main()
