"""
The index of what was said.

PostgreSQL keeps the words of a message beside it, in a column that the database writes. SQLite has
a table of FTS5 that keeps words without the text, and triggers that no writer can forget. They
refer to no other table of ours, so that those can be altered; whoever alters the table of messages
on SQLite, which Django does by making it anew, makes the triggers anew, too.
"""

from django.db import migrations

MESSAGES = "aegis_sessions_message"
# Between words stands anything of ASCII that is neither letter nor digit, on both databases alike.
SIGNS = "!\"#$%&''()*+,-./:;<=>?@[\\]^_`{|}~"
BLANKS = " " * (len(SIGNS) - 1)

POSTGRESQL = (
    f"ALTER TABLE {MESSAGES} ADD COLUMN words tsvector GENERATED ALWAYS AS"
    f" (to_tsvector('simple', translate(content, '{SIGNS}', '{BLANKS}'))) STORED",
    f"CREATE INDEX message_words ON {MESSAGES} USING gin (words)",
    # A word that stands in every other message is looked for from the newest one on.
    f"CREATE INDEX message_newest ON {MESSAGES} (created_at DESC)",
)
SQLITE = (
    "CREATE TABLE aegis_sessions_search_entry"
    " (id integer PRIMARY KEY AUTOINCREMENT, message_id char(32) NOT NULL UNIQUE)",
    "CREATE VIRTUAL TABLE aegis_sessions_search USING fts5"
    " (content, session, content='', tokenize='unicode61 remove_diacritics 0')",
    f"INSERT INTO aegis_sessions_search_entry (message_id)"
    f" SELECT id FROM {MESSAGES} ORDER BY created_at, place",
    f"INSERT INTO aegis_sessions_search (rowid, content, session)"
    f" SELECT e.id, m.content, m.session_id FROM aegis_sessions_search_entry e"
    f" JOIN {MESSAGES} m ON m.id = e.message_id",
    f"""
    CREATE TRIGGER message_is_searched AFTER INSERT ON {MESSAGES} BEGIN
      INSERT INTO aegis_sessions_search_entry (message_id) VALUES (NEW.id);
      INSERT INTO aegis_sessions_search (rowid, content, session)
        VALUES (last_insert_rowid(), NEW.content, NEW.session_id);
    END
    """,
    f"""
    CREATE TRIGGER message_is_forgotten AFTER DELETE ON {MESSAGES} BEGIN
      INSERT INTO aegis_sessions_search (aegis_sessions_search, rowid, content, session)
        SELECT 'delete', id, OLD.content, OLD.session_id
        FROM aegis_sessions_search_entry WHERE message_id = OLD.id;
      DELETE FROM aegis_sessions_search_entry WHERE message_id = OLD.id;
    END
    """,
    f"""
    CREATE TRIGGER message_is_searched_anew AFTER UPDATE OF content ON {MESSAGES}
    WHEN OLD.content <> NEW.content BEGIN
      INSERT INTO aegis_sessions_search (aegis_sessions_search, rowid, content, session)
        SELECT 'delete', id, OLD.content, OLD.session_id
        FROM aegis_sessions_search_entry WHERE message_id = OLD.id;
      INSERT INTO aegis_sessions_search (rowid, content, session)
        SELECT id, NEW.content, NEW.session_id
        FROM aegis_sessions_search_entry WHERE message_id = NEW.id;
    END
    """,
)
UNDONE = {
    "postgresql": (
        "DROP INDEX message_newest",
        f"ALTER TABLE {MESSAGES} DROP COLUMN words",
    ),
    "sqlite": (
        "DROP TRIGGER message_is_searched",
        "DROP TRIGGER message_is_forgotten",
        "DROP TRIGGER message_is_searched_anew",
        "DROP TABLE aegis_sessions_search",
        "DROP TABLE aegis_sessions_search_entry",
    ),
}


def make(apps, schema_editor):
    statements = {"postgresql": POSTGRESQL, "sqlite": SQLITE}
    for statement in statements[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


def undo(apps, schema_editor):
    for statement in UNDONE[schema_editor.connection.vendor]:
        schema_editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [("aegis_sessions", "0009_library")]
    operations = [migrations.RunPython(make, undo)]
