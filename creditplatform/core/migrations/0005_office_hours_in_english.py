"""Units say their office hours in both languages."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('core', '0004_partition_any_table'),
    ]

    operations = [
        pgtrigger.migrations.RemoveTrigger(
            model_name='agency',
            name='update_update',
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name='agency',
            name='delete_delete',
        ),
        migrations.AddField(
            model_name='agency',
            name='hours_en',
            field=models.CharField(blank=True, max_length=100, verbose_name='office hours in English'),
        ),
        migrations.AddField(
            model_name='agencyevent',
            name='hours_en',
            field=models.CharField(blank=True, max_length=100, verbose_name='office hours in English'),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='agency',
            trigger=pgtrigger.compiler.Trigger(name='update_update', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "core_agencyevent" ("active", "code", "credit_code", "hours", "hours_en", "id", "kind", "name", "name_en", "office", "office_en", "parent_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "region_id", "site_id") SELECT old_values."active", old_values."code", old_values."credit_code", old_values."hours", old_values."hours_en", old_values."id", old_values."kind", old_values."name", old_values."name_en", old_values."office", old_values."office_en", old_values."parent_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'update\', old_values."id", old_values."phone", old_values."region_id", old_values."site_id" FROM ( SELECT old_values.* FROM old_values JOIN new_values ON (old_values."id") = (new_values."id") WHERE (old_values.* IS DISTINCT FROM new_values.*) ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='dbc84cb19ee35531f53fa315bbdc3a062550e02d', level='STATEMENT', operation='UPDATE', pgid='pgtrigger_update_update_15eac', referencing='REFERENCING OLD TABLE AS old_values  NEW TABLE AS new_values ', table='core_agency', when='AFTER')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='agency',
            trigger=pgtrigger.compiler.Trigger(name='delete_delete', sql=pgtrigger.compiler.UpsertTriggerSql(func='WITH _pgh_attached_context AS ( SELECT _pgh_attach_context() AS value ) INSERT INTO "core_agencyevent" ("active", "code", "credit_code", "hours", "hours_en", "id", "kind", "name", "name_en", "office", "office_en", "parent_id", "pgh_context", "pgh_context_id", "pgh_created_at", "pgh_label", "pgh_obj_id", "phone", "region_id", "site_id") SELECT old_values."active", old_values."code", old_values."credit_code", old_values."hours", old_values."hours_en", old_values."id", old_values."kind", old_values."name", old_values."name_en", old_values."office", old_values."office_en", old_values."parent_id", COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_metadata\', TRUE), \'\'), NULL)::JSONB, COALESCE(NULLIF(CURRENT_SETTING(\'pghistory.context_id\', TRUE), \'\'), NULL)::UUID, NOW(), \'delete\', old_values."id", old_values."phone", old_values."region_id", old_values."site_id" FROM ( SELECT old_values.* FROM old_values  ) AS old_values, _pgh_attached_context; RETURN NULL;', hash='d7274af0e16373700c679b821dbdbdc8b3d7b6c0', level='STATEMENT', operation='DELETE', pgid='pgtrigger_delete_delete_d3c23', referencing='REFERENCING OLD TABLE AS old_values ', table='core_agency', when='AFTER')),
        ),
    ]
