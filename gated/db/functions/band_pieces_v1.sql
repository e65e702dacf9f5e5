-- Promises the pieces of [p_from, p_until) in their order, each with the band (from 1, in the order
-- of p_bands) that it lies in, null if none does, and the date on which that occurrence of the band
-- began. Neighbours are pieces of different occurrences.
--
-- A band is found by the reading of the clock. Days of one kind, after days of one kind, are cut
-- alike: that is worked out once for each such pair. Most days last 24 hours, and their pieces lie
-- as far after midnight as the clock says; a day of a clock change is read in slices of 15
-- minutes, within which no zone has changed its clock since 1972.
CREATE OR REPLACE FUNCTION gate.band_pieces_v1(
    p_facility uuid, p_zone text, p_bands jsonb, p_from timestamptz, p_until timestamptz
) RETURNS TABLE (starts timestamptz, ends timestamptz, band integer, occurrence date)
LANGUAGE sql STABLE AS $$
    WITH band AS (
        -- In minutes of the day on which it begins; past 1440: of the next.
        SELECT e.n::integer AS n, e.band -> 'days' AS days, m.starts,
            m.ends + CASE WHEN m.ends <= m.starts THEN 1440 ELSE 0 END AS ends
        FROM jsonb_array_elements(p_bands) WITH ORDINALITY e (band, n),
            LATERAL (SELECT
                gate.clock_minutes_v1(coalesce(e.band ->> 'from', '00:00')) AS starts,
                gate.clock_minutes_v1(coalesce(e.band ->> 'until', '24:00')) AS ends) m
    ), day AS MATERIALIZED (
        SELECT d.day,
            d.day::timestamp AT TIME ZONE p_zone AS starts,
            (d.day + 1)::timestamp AT TIME ZONE p_zone AS ends,
            d.kinds, lag(d.kinds) OVER (ORDER BY d.day) AS kinds_before
        FROM gate.days_kinds_v1(
            p_facility, (p_from AT TIME ZONE p_zone)::date - 2,
            (p_until AT TIME ZONE p_zone)::date + 1) d
    ), alike AS (
        SELECT DISTINCT day.kinds_before, day.kinds FROM day WHERE day.kinds_before IS NOT NULL
    ), cut AS MATERIALIZED (
        SELECT m.minute AS starts, lead(m.minute) OVER (ORDER BY m.minute) AS ends
        FROM (
            SELECT DISTINCT c.minute
            FROM band, LATERAL (VALUES
                (0), (1440), (band.starts), (band.ends), (band.starts - 1440), (band.ends - 1440)
            ) c (minute)
            WHERE c.minute BETWEEN 0 AND 1440
        ) m
    ), piece AS MATERIALIZED (
        SELECT alike.kinds_before, alike.kinds, cut.starts, cut.ends, b.n AS band, b.days_ago
        FROM alike CROSS JOIN cut
        LEFT JOIN LATERAL (
            SELECT band.n, ago.days_ago
            FROM band
            CROSS JOIN (VALUES (0, alike.kinds), (1, alike.kinds_before)) ago (days_ago, kinds)
            CROSS JOIN LATERAL (
                -- Events before holidays, before their eves, before weekdays, before no name.
                SELECT min(CASE WHEN band.days IS NULL THEN 5 WHEN k.n = cardinality(ago.kinds) THEN 4
                    WHEN k.kind = 'holiday_eve' THEN 3 WHEN k.kind = 'holiday' THEN 2 ELSE 1 END)
                    AS rank
                FROM unnest(ago.kinds) WITH ORDINALITY k (kind, n)
                WHERE band.days IS NULL OR band.days ? k.kind
            ) named
            WHERE named.rank IS NOT NULL
                AND cut.starts >= band.starts - 1440 * ago.days_ago
                AND cut.ends <= band.ends - 1440 * ago.days_ago
            ORDER BY named.rank, band.n LIMIT 1
        ) b ON true
        WHERE cut.ends IS NOT NULL
    ), read AS (
        SELECT day.starts + make_interval(mins => piece.starts) AS starts,
            day.starts + make_interval(mins => piece.ends) AS ends,
            piece.band, day.day - piece.days_ago AS occurrence
        FROM day JOIN piece USING (kinds_before, kinds)
        WHERE day.ends - day.starts = interval '24 hours'
        UNION ALL
        SELECT slice.starts + make_interval(mins => greatest(piece.starts - local.minute, 0)),
            slice.starts + make_interval(mins => least(piece.ends - local.minute, 15)),
            piece.band, shown.day - piece.days_ago
        FROM day
        CROSS JOIN LATERAL generate_series(
            day.starts, day.ends - interval '1 minute', interval '15 minutes') slice (starts)
        CROSS JOIN LATERAL (
            SELECT (slice.starts AT TIME ZONE p_zone)::date AS day,
                (extract(epoch FROM (slice.starts AT TIME ZONE p_zone)::time) / 60)::integer AS minute
        ) local
        JOIN day shown ON shown.day = local.day
        JOIN piece ON piece.kinds_before = shown.kinds_before AND piece.kinds = shown.kinds
            AND piece.starts < local.minute + 15 AND piece.ends > local.minute
        WHERE day.ends - day.starts <> interval '24 hours'
    ), run AS (
        SELECT r.*, count(*) FILTER (WHERE r.other) OVER (ORDER BY r.starts) AS n
        FROM (
            SELECT greatest(read.starts, p_from) AS starts, least(read.ends, p_until) AS ends,
                read.band, read.occurrence,
                (read.band, read.occurrence) IS DISTINCT FROM (
                    lag(read.band) OVER (ORDER BY read.starts),
                    lag(read.occurrence) OVER (ORDER BY read.starts)) AS other
            FROM read WHERE read.starts < p_until AND read.ends > p_from
        ) r
    )
    SELECT min(run.starts), max(run.ends), run.band, run.occurrence
    FROM run GROUP BY run.n, run.band, run.occurrence
    ORDER BY 1
$$;
