"""What the interface says of itself is true, and nothing that it allows makes it fail."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import start_server

pytestmark = pytest.mark.timeout(600 if "TESTS_EXAMPLES" not in os.environ else 36_000)

# The answer of a start that waited in vain, which the schema names, is no failure of the server.
CONFIGURATION = """
[checks.not_a_server_error]
expected-statuses = ["2xx", "3xx", "4xx", "504"]
"""
# A state may refuse what the schema allows (400 INVALID_STATE), which is no finding.
OPTIONS = [
    "--max-examples",
    # For each operation and phase; more than the share of every change takes long.
    os.environ.get("TESTS_EXAMPLES", "2"),
    "--seed",
    "1",
    "--no-color",
    "--request-timeout",
    "30",
    "--phases",
    "examples,coverage,fuzzing,stateful",
    "--exclude-checks",
    "positive_data_acceptance",
    "--exclude-operation-id",
    "credentials.revoke",
]


def test_schemathesis_finds_nothing(tmp_path: Path):
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    with start_server(AEGIS_START_SECONDS="1") as server:
        found = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run"),
                f"{server.url}/api/schema?format=json",
                *("--header", f"Authorization: Bearer {server.token}"),
                *OPTIONS,
            ],
            cwd=tmp_path,
            env={**os.environ, "NO_PROXY": "*"},
            capture_output=True,
            text=True,
            check=False,
        )

        assert found.returncode == 0, found.stdout[-4000:] + found.stderr[-2000:]
        assert "Traceback" not in server.log()
