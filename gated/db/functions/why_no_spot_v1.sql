-- Promises the reason why a zone has no spot for a vehicle, as far as its spots tell: the first
-- that holds of "none is free", "none is large enough, free or not", "those large enough are
-- taken", "the free ones are kept for others", and else "the free ones are claimed for later".
CREATE OR REPLACE FUNCTION gate.why_no_spot_v1(
    p_zone uuid, p_size public.spot_size, p_chargers boolean[], p_accessible boolean[]
) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN count(*) = 0 THEN 'zone_full'
        WHEN NOT bool_or(f.fits) THEN
            CASE WHEN EXISTS (
                SELECT FROM public.parking_spots s
                WHERE s.zone_id = p_zone AND s.is_active AND s.size >= p_size)
                THEN 'size_taken' ELSE 'spots_too_small' END
        WHEN NOT bool_or(f.fits AND f.allowed) THEN
            CASE WHEN bool_or(f.fits AND f.has_ev_charger
                    AND (NOT f.is_accessible OR true = ANY (p_accessible)))
                THEN 'chargers_kept' ELSE 'accessible_kept' END
        ELSE 'zone_reserved'
    END
    FROM (
        SELECT s.size >= p_size AS fits, s.has_ev_charger, s.is_accessible,
            EXISTS (
                SELECT FROM unnest(p_chargers, p_accessible) AS k (charger, accessible)
                WHERE k.charger = s.has_ev_charger AND k.accessible = s.is_accessible
            ) AS allowed
        FROM public.parking_spots s
        WHERE s.zone_id = p_zone AND s.is_active AND s.status IN ('AVAILABLE', 'RESERVED')
    ) f
$$;
