-- Promises that what is left uncounted is counted, of each facility whose counters are not held by
-- another transaction; answers how many facilities that were.
--
-- Each change of a spot counts itself and what others left, so there is usually nothing to do.
CREATE OR REPLACE FUNCTION gate.count_all_changes_v1() RETURNS integer
LANGUAGE sql AS $$
    SELECT count(*)::integer
    FROM (SELECT DISTINCT c.facility_id AS id FROM gate.spot_changes c) f
    WHERE gate.count_changes_v1(f.id)
$$;
