-- Makes the monthly partitions (UTC months) that are missing; answers how many it made.
--
-- Bookings, which may be made long ahead: from the month before p_from to p_months after it.
-- Records, which are written as they happen: the same, but at most three months after it.
-- Cheap when nothing is missing, and safe to run from many places at once, with writers at work:
-- a new partition is attached, which needs no exclusive lock on its table.
CREATE OR REPLACE FUNCTION gate.ensure_partitions_v1(p_from date, p_months integer)
    RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing record;
    made integer := 0;
BEGIN
    IF p_from IS NULL OR p_months IS NULL OR p_months NOT BETWEEN 0 AND 120 THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'ensure_partitions_v1: p_from must be given and p_months be 0 to 120, got %s and %s',
            p_from, p_months);
    END IF;
    PERFORM pg_advisory_xact_lock(1734440036, 2);
    FOR missing IN
        SELECT parent.schema_name, parent.table_name, month,
            format('%s_%s', parent.table_name, to_char(month, 'YYYY_MM')) AS partition_name
        FROM (VALUES
            ('public', 'bookings', p_months),
            ('public', 'audit_logs', least(p_months, 3)),
            ('gate', 'events', least(p_months, 3)),
            ('gate', 'decisions', least(p_months, 3))
        ) AS parent (schema_name, table_name, months)
        CROSS JOIN LATERAL generate_series(
            date_trunc('month', p_from::timestamp) - interval '1 month',
            date_trunc('month', p_from::timestamp) + make_interval(months => parent.months),
            interval '1 month'
        ) AS month
        WHERE to_regclass(format('%I.%I', parent.schema_name,
            format('%s_%s', parent.table_name, to_char(month, 'YYYY_MM')))) IS NULL
        ORDER BY parent.schema_name, parent.table_name, month
    LOOP
        EXECUTE format(
            'CREATE TABLE %1$I.%2$I (LIKE %1$I.%3$I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
            missing.schema_name, missing.partition_name, missing.table_name);
        EXECUTE format(
            'ALTER TABLE %1$I.%3$I ATTACH PARTITION %1$I.%2$I FOR VALUES FROM (%4$L) TO (%5$L)',
            missing.schema_name, missing.partition_name, missing.table_name,
            missing.month AT TIME ZONE 'UTC',
            (missing.month + interval '1 month') AT TIME ZONE 'UTC');
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;
