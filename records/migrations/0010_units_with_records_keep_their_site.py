"""A unit stays on its public site once records of it are kept: they repeat the site, and it never changes.

The table of records waits for the moment of the change, so that no first record slips in behind the question. The
question reads the records until it finds one, all of them for a unit without any; moving a unit is a rare act.
"""

from django.db import migrations

ADD = """
CREATE FUNCTION records_unit_keeps_its_site() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    LOCK TABLE records_creditrecord IN SHARE MODE;
    IF EXISTS (SELECT 1 FROM records_creditrecord WHERE agency_id = OLD.id) THEN
        RAISE EXCEPTION 'a unit of which records are kept stays on its site' USING ERRCODE = 'CR008';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER records_unit_keeps_its_site BEFORE UPDATE OF site_id ON core_agency
    FOR EACH ROW WHEN (OLD.site_id IS DISTINCT FROM NEW.site_id) EXECUTE FUNCTION records_unit_keeps_its_site();
"""
DROP = """
DROP TRIGGER records_unit_keeps_its_site ON core_agency;
DROP FUNCTION records_unit_keeps_its_site();
"""


class Migration(migrations.Migration):
    """Laid by the app that knows records; the core, where units live, does not."""

    dependencies = [("records", "0009_coherence_of_what_changed"), ("core", "0005_office_hours_in_english")]
    operations = [migrations.RunSQL(ADD, DROP)]
