"""Partition the access log by month, and let the application role ask for new partitions without owning tables."""

from django.db import migrations

PARTITIONED = """
ALTER TABLE core_accesslog RENAME TO core_accesslog_plain;
CREATE TABLE core_accesslog (LIKE core_accesslog_plain INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (at);
ALTER TABLE core_accesslog ADD CONSTRAINT core_accesslog_pk PRIMARY KEY (id, at);
DROP INDEX accesslog_subject;
CREATE INDEX accesslog_subject ON core_accesslog (subject_ref, at DESC);

DO $$
DECLARE definition text;
BEGIN
    FOR definition IN
        SELECT pg_get_triggerdef(oid) FROM pg_trigger
        WHERE tgrelid = 'core_accesslog_plain'::regclass AND NOT tgisinternal
    LOOP
        EXECUTE replace(definition, 'core_accesslog_plain', 'core_accesslog');
    END LOOP;
END $$;
DROP TABLE core_accesslog_plain;

-- Truncate triggers are not inherited by partitions, so each one gets its own.
CREATE FUNCTION credit_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('credit.allow_truncate', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'CR002';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION credit_add_partition(bounds text, suffix text, starts timestamptz, ends timestamptz) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    partition text := 'core_accesslog_' || suffix;
    late boolean := false;
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN RETURN; END IF;
    IF starts IS NOT NULL THEN
        SELECT EXISTS (SELECT 1 FROM core_accesslog_other WHERE at >= starts AND at < ends) INTO late;
    END IF;
    IF late THEN
        -- Rows came before their month had its partition: they move, by the owner alone.
        EXECUTE format('CREATE TABLE %I (LIKE core_accesslog INCLUDING ALL EXCLUDING IDENTITY)', partition);
        EXECUTE format('INSERT INTO %I SELECT * FROM core_accesslog_other WHERE at >= %L AND at < %L', partition, starts, ends);
        ALTER TABLE core_accesslog_other DISABLE TRIGGER USER;
        DELETE FROM core_accesslog_other WHERE at >= starts AND at < ends;
        ALTER TABLE core_accesslog_other ENABLE TRIGGER USER;
        EXECUTE format('ALTER TABLE core_accesslog ATTACH PARTITION %I %s', partition, bounds);
    ELSE
        EXECUTE format('CREATE TABLE %I PARTITION OF core_accesslog %s', partition, bounds);
    END IF;
    EXECUTE format(
        'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION credit_refuse_truncate()',
        partition
    );
END $$;

-- Runs with the rights of the owner: the application role owns no table and may not create partitions itself.
CREATE FUNCTION credit_prepare_partitions(months integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE month date;
BEGIN
    IF months NOT BETWEEN 0 AND 24 THEN RAISE EXCEPTION 'months ahead: 0 to 24'; END IF;
    FOR month IN
        SELECT generate_series(date_trunc('month', now()), date_trunc('month', now()) + make_interval(months => months),
                               interval '1 month')::date
    LOOP
        PERFORM credit_add_partition(
            format('FOR VALUES FROM (%L) TO (%L)', month, (month + interval '1 month')::date),
            to_char(month, 'YYYYMM'), month, month + interval '1 month'
        );
    END LOOP;
END $$;

SELECT credit_add_partition('DEFAULT', 'other', NULL, NULL);
SELECT credit_prepare_partitions(3);
"""


class Migration(migrations.Migration):
    """Needs no lock on live data: the table is empty when a platform is set up."""

    dependencies = [("core", "0001_initial")]
    operations = [migrations.RunSQL(PARTITIONED, migrations.RunSQL.noop)]
