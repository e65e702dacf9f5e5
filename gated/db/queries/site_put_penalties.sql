-- The facility lists exactly the penalties $2, by kind of violation.
WITH wanted AS (
    SELECT w.key AS violation_type, w.value::numeric AS amount
    FROM jsonb_each_text($2::text::jsonb) AS w
), gone AS (
    DELETE FROM gate.penalties p
    WHERE p.facility_id = $1
        AND p.violation_type NOT IN (SELECT w.violation_type FROM wanted w)
)
INSERT INTO gate.penalties (facility_id, violation_type, amount)
SELECT $1, w.violation_type, w.amount FROM wanted w
ON CONFLICT (facility_id, violation_type) DO UPDATE SET amount = excluded.amount
