import json

import pytest

from sessions.core import transcripts

SESSION = {"id": "1", "key": "k", "name": "Prices\n today"}
ASKED = {
    "role": "user", "agent": "", "author": "user:ann", "content": "What\nnow?",
    "created_at": "T1", "attachments": [{"filename": "a\n.csv", "size": 3}], "tool_calls": [],
}  # fmt: skip
ANSWERED = {
    "role": "assistant", "agent": "analyst", "author": "agent:analyst", "content": "",
    "created_at": "T2", "attachments": [], "tool_calls": [{"name": "look", "state": "completed"}],
}  # fmt: skip


def written(name: str, *batches) -> str:
    form = transcripts.FORMATS[name]()
    return form.begin(SESSION) + "".join(map(form.lines, batches)) + form.end()


@pytest.mark.parametrize("batches", [[], [[ASKED, ANSWERED]], [[ASKED], [ANSWERED]]])
def test_json_is_one_document_however_it_comes(batches):
    found = json.loads(written("json", *batches))

    messages = [one for batch in batches for one in batch]
    assert found == {
        "schema": "aegis.conversation/1", "session": SESSION, "messages": messages,
    }  # fmt: skip


def test_markdown_has_a_heading_for_each_message():
    assert written("markdown", [ASKED, ANSWERED]) == (
        "# Prices today\n"
        "\n## user user:ann, T1\n\nWhat\nnow?\n\n- file a .csv, 3 bytes\n"
        "\n## assistant analyst, T2\n\n- tool look, completed\n"
    )
    assert "##" not in written("markdown")
    bare = {**ASKED, "attachments": []}
    assert written("markdown", [bare]) == "# Prices today\n\n## user user:ann, T1\n\nWhat\nnow?\n"


def test_text_has_a_line_for_who_spoke():
    assert written("text", [ASKED], [ANSWERED]) == (
        "Prices today\n\n"
        "user user:ann, T1:\nWhat\nnow?\n[file a .csv, 3 bytes]\n\n"
        "assistant analyst, T2:\n[tool look, completed]\n\n"
    )


def test_a_session_without_a_name_is_called_by_its_key():
    form = transcripts.Text()

    assert form.begin({"id": "1", "key": "k", "name": ""}) == "k\n\n"
