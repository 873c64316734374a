"""What 0002 did for the access log, for any table: months of a table that grows for ever can be archived one by one."""

from django.db import migrations

ANY_TABLE = """
DROP FUNCTION credit_add_partition(text, text, timestamptz, timestamptz);

CREATE FUNCTION credit_add_partition(parent text, key text, month date) RETURNS void
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    partition text := parent || '_' || coalesce(to_char(month, 'YYYYMM'), 'other');
    other text := parent || '_other';
    bounds text := CASE WHEN month IS NULL THEN 'DEFAULT'
        ELSE format('FOR VALUES FROM (%L) TO (%L)', month, (month + interval '1 month')::date) END;
    these text := format('%I >= %L AND %I < %L', key, month, key, (month + interval '1 month')::date);
    late boolean := false;
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN RETURN; END IF;
    IF month IS NOT NULL THEN
        EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I WHERE %s)', other, these) INTO late;
    END IF;
    IF late THEN
        -- Rows came before their month had its partition: they move, by the owner alone.
        EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL EXCLUDING IDENTITY)', partition, parent);
        EXECUTE format('INSERT INTO %I SELECT * FROM %I WHERE %s', partition, other, these);
        EXECUTE format('ALTER TABLE %I DISABLE TRIGGER USER', other);
        EXECUTE format('DELETE FROM %I WHERE %s', other, these);
        EXECUTE format('ALTER TABLE %I ENABLE TRIGGER USER', other);
        EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I %s', parent, partition, bounds);
    ELSE
        EXECUTE format('CREATE TABLE %I PARTITION OF %I %s', partition, parent, bounds);
    END IF;
    EXECUTE format(
        'CREATE TRIGGER no_truncate BEFORE TRUNCATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION credit_refuse_truncate()',
        partition
    );
END $$;

-- Runs with the rights of the owner: the application role owns no table and may not create partitions itself.
CREATE OR REPLACE FUNCTION credit_prepare_partitions(months integer) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET timezone = 'UTC' AS $$
BEGIN
    IF months NOT BETWEEN 0 AND 24 THEN RAISE EXCEPTION 'months ahead: 0 to 24'; END IF;
    PERFORM credit_add_partition(c.relname, a.attname, month::date)
    FROM pg_partitioned_table p
    JOIN pg_class c ON c.oid = p.partrelid AND c.relnamespace = 'public'::regnamespace
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = p.partattrs[0],
    generate_series(date_trunc('month', now()), date_trunc('month', now()) + make_interval(months => months),
                    interval '1 month') month;
END $$;

-- A plain table becomes a partitioned one; rows, indexes, checks and triggers stay, the time joins the primary key.
CREATE FUNCTION credit_partition_by_month(target text, id text, key text) RETURNS void
LANGUAGE plpgsql SET timezone = 'UTC' AS $$
DECLARE
    plain text := target || '_plain';
    definitions text[];
    definition text;
    first date;
BEGIN
    SELECT coalesce(array_agg(made), '{}') INTO definitions FROM (
        SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = target::regclass AND NOT indisprimary
        UNION ALL
        SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = target::regclass AND NOT tgisinternal
    ) AS x (made);
    EXECUTE format('ALTER TABLE %I RENAME TO %I', target, plain);
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL EXCLUDING INDEXES) PARTITION BY RANGE (%I)', target, plain, key);
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT %I PRIMARY KEY (%I, %I)', target, target || '_by_month', id, key);
    PERFORM credit_add_partition(target, key, NULL);
    EXECUTE format('SELECT coalesce(date_trunc(''month'', min(%I)), now())::date FROM %I', key, plain) INTO first;
    PERFORM credit_add_partition(target, key, month::date)
    FROM generate_series(date_trunc('month', first), now() + interval '3 months', interval '1 month') month;
    EXECUTE format('INSERT INTO %I SELECT * FROM %I', target, plain);
    EXECUTE format('SELECT setval(pg_get_serial_sequence(%L, %L), greatest(max(%I), 1)) FROM %I', target, id, id, plain);
    EXECUTE format('DROP TABLE %I', plain);
    FOREACH definition IN ARRAY definitions LOOP EXECUTE definition; END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    """Replaces functions only; which tables use them is for the apps that own them."""

    dependencies = [("core", "0003_history_keys")]
    operations = [migrations.RunSQL(ANY_TABLE, migrations.RunSQL.noop)]
