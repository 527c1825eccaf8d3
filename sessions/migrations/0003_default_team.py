"""There is always a default team."""

from django.db import migrations


def make(apps, schema_editor):
    apps.get_model("auth", "Group").objects.get_or_create(name="default")


class Migration(migrations.Migration):
    dependencies = [("aegis_sessions", "0002_initial"), ("auth", "0012_alter_user_first_name_max_length")]
    operations = [migrations.RunPython(make, migrations.RunPython.noop)]
