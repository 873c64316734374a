"""The two histories that grow with the data are partitioned by month; the others are small and stay plain."""

from django.db import migrations

PARTITIONED = """
SELECT credit_partition_by_month('records_creditrecordevent', 'pgh_id', 'pgh_created_at');
SELECT credit_partition_by_month('records_subjectevent', 'pgh_id', 'pgh_created_at');
"""


class Migration(migrations.Migration):
    """Copies what history there is; on a large platform run it in a quiet hour."""

    dependencies = [("records", "0004_history_keys"), ("core", "0004_partition_any_table")]
    operations = [migrations.RunSQL(PARTITIONED, migrations.RunSQL.noop)]
