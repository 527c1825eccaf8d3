"""Which columns a capsule has of each table, in this version of its format."""

from collections.abc import Mapping

# A name, and below it the columns; what comes later stays out of it.
_TABLES = """
session
    activation agent component_count config context created_at environment error id key kind
    last_activity_at llm_token_count memory message_count metadata mode name owner_label
    reason result start_deadline_at start_requested_at started_at state state_changed_at
    stopped_at template template_version version
components
    capabilities created_at error fence id identified_at last_heartbeat_at lost_at name
    proto ready_at registered_at required role running_at state stopped_at subscribed_at
    topics version
runs
    agent_slug answer_id attempt cancel_requested_at cost created_at depth ended_at error id
    limits losses message_id parameters parent_id place requested_by safe_seq started_at
    state steps task token_count usage waiting_for worked_seconds
messages
    agent attachment_count author content created_at id is_chosen metadata parent_id place
    role run_id token_count tool_call_count
attachments
    author content_type created_at filename id kind message_id metadata sha256 size
artifacts
    author content_type created_at id metadata name run_id sha256 size version
tool_calls
    arguments artifact_id asked_arguments attempt call_id created_at digest effect_key
    ended_at error id is_idempotent message_id result risk rule run_id source started_at
    state tool tool_version
approvals
    claimed_at claimed_by clock_stopped_at decided_at decided_by digest edited_arguments
    evidence expires_at freshness id on_timeout parameters reason replaces_id requested_at
    requested_by rule run_id seq state stops_clock tool_call_id transport version who
snapshots
    body digest id size
checkpoints
    activation author cause ck clock created_at epoch id label last_run message
    message_count moment positions runs seq size snapshot_id state
replays
    bad_rows base checkpoint clock generation id is_exhausted n range_from range_to seek_by
    seek_to source speed steps
"""


def _read(text: str) -> Mapping[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    name = ""
    for line in text.strip("\n").splitlines():
        if line.startswith(" "):
            found[name] |= frozenset(line.split())
        else:
            name, found[line] = line, frozenset()
    return found


COLUMNS = _read(_TABLES)
