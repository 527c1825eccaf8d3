import uuid

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('aegis_sessions', '0014_looked_for'),
    ]

    operations = [
        migrations.CreateModel(
            name='Upload',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('artifact', 'artifact'), ('attachment', 'attachment')], max_length=16)),
                ('name', models.CharField(max_length=255)),
                ('size', models.PositiveBigIntegerField()),
                ('received', models.PositiveBigIntegerField(default=0)),
                ('parts', models.JSONField(default=list)),
                ('sha256', models.CharField(blank=True, max_length=64)),
                ('file', models.UUIDField(null=True)),
                ('author', models.CharField(max_length=200)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('session', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='uploads', to='aegis_sessions.session')),
            ],
            options={
                'indexes': [models.Index(fields=['updated_at'], name='upload_by_age')],
            },
        ),
    ]
