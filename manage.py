#!/usr/bin/env python
"""Django's command line with the settings of this project."""

import gc
import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    # Nearly all that an import makes stays; looking for garbage in it is a tenth of every start.
    gc.set_threshold(10_000)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aegis_project.settings")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
