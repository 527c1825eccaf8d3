"""How long a search takes among 100 000 messages, and what the index adds to an append."""

import argparse
import os
import tempfile

import django


def main() -> None:
    """Fill, search, tell; in a new SQLite file, or in the database of AEGIS_DATABASE_URL."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="aegis-search-") as home:
        os.environ["DJANGO_SETTINGS_MODULE"] = "aegis_project.settings"
        os.environ["AEGIS_HOME"] = home
        django.setup()
        from benchmarks import search_rows  # noqa: PLC0415 -- it needs Django to be there

        search_rows.run(options.messages)


if __name__ == "__main__":
    main()
