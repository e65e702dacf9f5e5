-- Promises that the stay knows how its passage through this lane became known: the first report
-- stands, a repeated one changes nothing.
CREATE OR REPLACE FUNCTION gate.complete_passage_v1(
    p_facility uuid,
    p_fence bigint,
    p_stay uuid,
    p_lane uuid,
    p_known text,
    p_at timestamptz,
    p_correlation uuid
) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM gate.hold_fence_v1(p_facility, p_fence);
    PERFORM gate.note_passage_v1(p_facility, p_stay, p_lane, p_known, p_at, p_correlation);
END
$$;
