-- Promises the open stays of a facility that look like phantoms, with what speaks for it: see
-- gate.judge_stays_v1. Changes nothing. p_days: without a sign for so long; null: as the facility has
-- set it.
CREATE OR REPLACE FUNCTION gate.phantom_stays_v1(
    p_facility uuid, p_at timestamptz, p_days integer DEFAULT NULL
) RETURNS TABLE (
    stay uuid, ticket text, plate text, zone text, spot_number text, entry_at timestamptz,
    seen_at timestamptz, ended_at timestamptz, strength text, evidence jsonb
)
LANGUAGE sql STABLE AS $$
    SELECT b.id, b.ticket_number, coalesce(b.plate_number, v.plate_normal), z.code, s.spot_number,
        b.entry_time, j.seen_at, j.ended_at, j.strength, j.evidence
    FROM gate.facility_settings f
    CROSS JOIN LATERAL gate.judge_stays_v1(
        f.facility_id, p_at, coalesce(p_days, f.phantom_days)) j
    JOIN gate.tickets t ON t.booking_id = j.stay
    JOIN public.bookings b ON b.id = t.booking_id AND b.entry_time = t.entry_time
    LEFT JOIN public.vehicles v ON v.id = b.vehicle_id
    LEFT JOIN public.parking_spots s ON s.id = b.spot_id
    LEFT JOIN public.zones z ON z.id = coalesce(s.zone_id, b.zone_id)
    WHERE f.facility_id = p_facility AND j.strength IS NOT NULL
    ORDER BY j.seen_at, b.id
$$;
