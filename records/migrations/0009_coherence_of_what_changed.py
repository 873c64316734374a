"""Records are asked about entry, version, unit and site where these change; corrections keep their reason sealed."""

import creditplatform.core.sealed
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('records', '0008_memory_of_a_feed'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='creditrecord',
            name='coherent_update',
        ),
        migrations.AddField(
            model_name='feedbatch',
            name='reason',
            field=creditplatform.core.sealed.SealedTextField(blank=True, null=True, sealed_as='records.FeedBatch.reason', verbose_name='reason of the correction'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='creditrecord',
            trigger=pgtrigger.compiler.Trigger(name='coherent_update', sql=pgtrigger.compiler.UpsertTriggerSql(func="\nIF EXISTS (\n    SELECT 1 FROM (\n        SELECT DISTINCT r.version_id, r.entry_id, r.agency_id, r.site_id, r.polarity\n        FROM new_rows r JOIN old_rows o ON o.id = r.id\n        WHERE (r.version_id, r.entry_id, r.agency_id, r.site_id, r.polarity)\n            IS DISTINCT FROM (o.version_id, o.entry_id, o.agency_id, o.site_id, o.polarity)\n    ) n\n    LEFT JOIN records_entryversion v ON v.id = n.version_id AND v.entry_id = n.entry_id AND v.polarity = n.polarity\n    LEFT JOIN core_agency a ON a.id = n.agency_id AND a.site_id = n.site_id\n    WHERE v.id IS NULL OR a.id IS NULL\n) THEN\n    RAISE EXCEPTION 'entry, version, direction, unit and site of a record belong together' USING ERRCODE = 'CR006';\nEND IF;\nIF EXISTS (\n    SELECT 1 FROM (\n        SELECT DISTINCT r.batch_id FROM new_rows r JOIN old_rows o ON o.id = r.id\n        WHERE r.batch_id IS NOT NULL AND r.batch_id IS DISTINCT FROM o.batch_id\n    ) n\n    LEFT JOIN records_feedbatch b ON b.id = n.batch_id WHERE b.id IS NULL\n) THEN\n    RAISE EXCEPTION 'a record names a batch that exists' USING ERRCODE = 'CR006';\nEND IF;\nRETURN NULL;", hash='cb4e4bb6c8bbd5d91f604d1b336ace542a4552a7', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_coherent_update_5cf0f', referencing='REFERENCING OLD TABLE AS old_rows  NEW TABLE AS new_rows ', table='records_creditrecord', when='AFTER')),
        ),
    ]
