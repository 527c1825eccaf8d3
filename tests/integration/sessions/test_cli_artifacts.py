"""The noun of a session's files."""

from pathlib import Path

import pytest

from sessions.models import Artifact
from sessions.selectors import artifacts as reading
from tests import factories

pytestmark = [
    pytest.mark.django_db,
    # django-typer has not followed Typer there yet.
    pytest.mark.filterwarnings("ignore:In Typer, only the parameter:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def session():
    return factories.session(key="k")


@pytest.fixture
def prices(tmp_path: Path) -> str:
    file = tmp_path / "prices.csv"
    file.write_bytes(b"price,size\n1.5,2\n")
    return str(file)


def test_files_are_written_listed_and_read(anywhere, prices: str, tmp_path: Path):
    anywhere("artifact", "write", "k", prices, "--name", "data/prices.csv")
    second = anywhere("artifact", "write", "k", prices, "--name", "data/prices.csv", "--json")
    listed = anywhere("artifact", "list", "k")
    read = anywhere("artifact", "read", "k", "data/prices.csv", "-o", str(tmp_path / "out"), "-q")

    assert second.document["schema"] == "aegis.artifact.write/1"
    assert (second.document["data"]["version"], second.document["data"]["size"]) == (2, 17)
    assert listed.out.splitlines()[1].split()[1:5] == ["data/prices.csv", "2", "17", "text/csv"]
    assert (tmp_path / "out").read_bytes() == b"price,size\n1.5,2\n"
    assert read.out.strip() == second.document["data"]["id"]


def test_files_beneath_a_folder_are_listed(anywhere, prices: str):
    for name in ("data/a.csv", "data/old/b.csv", "Data/c.csv", "top.csv"):
        anywhere("artifact", "write", "k", prices, "--name", name)

    listed = anywhere("artifact", "list", "k", "--folder", "data", "--json").document["data"]

    assert sorted(one["name"] for one in listed) == ["data/a.csv", "data/old/b.csv"]
    assert anywhere("artifact", "list", "k", "--folder", "../k").code == 2


def test_a_file_is_read_to_the_output_by_its_id_or_name(anywhere, prices: str):
    anywhere("artifact", "write", "k", prices)
    row = Artifact.objects.get()

    assert anywhere("artifact", "read", "k", "prices.csv").out == "price,size\n1.5,2\n"
    assert anywhere("artifact", "read", "k", str(row.pk)).out == "price,size\n1.5,2\n"
    assert anywhere("artifact", "read", "k", "prices.csv", "--json").code == 2
    assert anywhere("artifact", "read", "k", "nothing.csv").code == 3


def test_a_file_is_looked_into(anywhere, prices: str):
    anywhere("artifact", "write", "k", prices)

    document = anywhere("artifact", "analyze", "k", "prices.csv", "--json").document
    told = anywhere("artifact", "analyze", "k", "prices.csv", "--type", "transform")

    assert document["schema"] == "aegis.artifact.analyze/1"
    assert (document["data"]["format"], document["data"]["data"]["rows"]) == ("csv", 1)
    assert told.out == '[{"price": "1.5", "size": "2"}]\n'
    assert "prices.csv  data  csv  17 bytes" in told.err


def test_a_file_is_generated(anywhere, tmp_path: Path):
    said = tmp_path / "said.json"
    said.write_text('{"type": "report", "format": "md", "title": "Today", "text": "All well."}')

    made = anywhere("artifact", "generate", "k", "today", str(said), "--json").document

    assert made["data"]["name"] == "today.md"
    assert anywhere("artifact", "read", "k", "today.md").out == "# Today\n\nAll well.\n"
    said.write_text('{"type": "report", "format": "docx"}')
    assert anywhere("artifact", "generate", "k", "today", str(said)).code == 2


def test_the_newest_version_of_a_file_is_removed(anywhere, prices: str, session):
    anywhere("artifact", "write", "k", prices)
    anywhere("artifact", "write", "k", prices)

    planned = anywhere("artifact", "remove", "k", "prices.csv", "--dry-run", "--json").document
    refused = anywhere("artifact", "remove", "k", "prices.csv")
    anywhere("artifact", "remove", "k", "prices.csv", "--yes")

    assert [one["version"] for one in planned["data"]] == [2]
    assert refused.code == 2
    assert [one.version for one in reading.versions(session.pk, "prices.csv")] == [1]
