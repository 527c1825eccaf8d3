"""The end of the chain, and triggers that let entries of the audit be appended and no more."""

import uuid

import django.db.models.deletion
from django.db import migrations, models

TABLE = "aegis_streaming_auditentry"
SAID = ("id", "at", "command", "actor", "principal_id", "transport", "request_id", "session_id",
        "target", "outcome", "code", "detail")
SEAL = ("place", "previous", "digest")


def _row(name: str) -> str:
    return f"ROW({', '.join(f'{name}.{column}' for column in SAID)})"


# A table that SQLite makes anew loses its triggers: a migration that alters this one makes them again.
GUARDS = {
    "sqlite": [
        f"CREATE TRIGGER aegis_audit_unchanged BEFORE UPDATE OF {', '.join(SAID)} ON {TABLE} "
        "BEGIN SELECT RAISE(ABORT, 'An entry of the audit is never changed.'); END",
        f"CREATE TRIGGER aegis_audit_sealed BEFORE UPDATE OF {', '.join(SEAL)} ON {TABLE} "
        "WHEN OLD.place IS NOT NULL "
        "BEGIN SELECT RAISE(ABORT, 'A sealed entry of the audit is never changed.'); END",
        f"CREATE TRIGGER aegis_audit_kept BEFORE DELETE ON {TABLE} "
        "BEGIN SELECT RAISE(ABORT, 'An entry of the audit is never removed.'); END",
    ],
    "postgresql": [
        "CREATE FUNCTION aegis_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        "RAISE EXCEPTION 'An entry of the audit is never changed or removed.' "
        "USING ERRCODE = 'restrict_violation'; END $$",
        f"CREATE TRIGGER aegis_audit_unchanged BEFORE UPDATE ON {TABLE} FOR EACH ROW "
        f"WHEN (OLD.place IS NOT NULL OR {_row('OLD')} IS DISTINCT FROM {_row('NEW')}) "
        "EXECUTE FUNCTION aegis_audit_refuse()",
        f"CREATE TRIGGER aegis_audit_kept BEFORE DELETE ON {TABLE} FOR EACH ROW "
        "EXECUTE FUNCTION aegis_audit_refuse()",
        f"CREATE TRIGGER aegis_audit_whole BEFORE TRUNCATE ON {TABLE} "
        "EXECUTE FUNCTION aegis_audit_refuse()",
    ],
}
OPENED = {
    "sqlite": [
        "DROP TRIGGER IF EXISTS aegis_audit_unchanged",
        "DROP TRIGGER IF EXISTS aegis_audit_sealed",
        "DROP TRIGGER IF EXISTS aegis_audit_kept",
    ],
    "postgresql": [
        f"DROP TRIGGER IF EXISTS aegis_audit_unchanged ON {TABLE}",
        f"DROP TRIGGER IF EXISTS aegis_audit_kept ON {TABLE}",
        f"DROP TRIGGER IF EXISTS aegis_audit_whole ON {TABLE}",
        "DROP FUNCTION IF EXISTS aegis_audit_refuse()",
    ],
}
# What the tests, which empty tables, take away and put back.
REMOVING = {vendor: [one for one in found if "aegis_audit_kept" in one] for vendor, found in OPENED.items()}


def _carry_out(statements, editor):
    # One by one and past the editor, which would take a per cent sign or a semicolon for its own.
    with editor.connection.cursor() as cursor:
        for statement in statements[editor.connection.vendor]:
            cursor.execute(statement)


def guard(_apps, editor):
    _carry_out(GUARDS, editor)


def open_up(_apps, editor):
    _carry_out(OPENED, editor)


class Migration(migrations.Migration):

    dependencies = [
        ("aegis_streaming", "0004_segments"),
    ]

    operations = [
        migrations.CreateModel(
            name="AuditChain",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ("place", models.BigIntegerField(default=0)),
                ("digest", models.CharField(blank=True, max_length=64)),
                ("told_at", models.DateTimeField(null=True)),
                ("holder", models.UUIDField(default=uuid.uuid4)),
                ("held_until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AlterField(
            model_name="auditentry",
            name="session",
            field=models.ForeignKey(db_constraint=False, null=True, on_delete=django.db.models.deletion.DO_NOTHING, related_name="audit_entries", to="aegis_sessions.session"),
        ),
        migrations.AddIndex(
            model_name="auditentry",
            index=models.Index(condition=models.Q(("place", None)), fields=["id"], name="audit_unsealed"),
        ),
        migrations.RunPython(guard, open_up),
    ]
