from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("aegis_sessions", "0016_search_prefixes")]
    operations = [
        migrations.AddField(
            model_name="replay",
            name="achieved",
            field=models.FloatField(help_text="Times real time, as it went lately", null=True),
        ),
    ]
