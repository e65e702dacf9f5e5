-- Promises the kinds of spots that a vehicle may be given, the fittest first: each as "has a
-- charger" and "is accessible", in two arrays of one length.
--
-- Whoever wants a charger is given one while there is any. Others get one last, and only where
-- these spots are not kept free; accessible spots go to holders of the right alone.
CREATE OR REPLACE FUNCTION gate.spot_classes_v1(
    p_wants_charger boolean, p_accessible boolean, p_chargers_kept boolean,
    OUT chargers boolean[], OUT accessible boolean[]
)
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT
        array_agg(k.charger ORDER BY k.charger <> p_wants_charger, k.accessible DESC),
        array_agg(k.accessible ORDER BY k.charger <> p_wants_charger, k.accessible DESC)
    FROM (VALUES (true, true), (true, false), (false, true), (false, false))
        AS k (charger, accessible)
    WHERE (p_accessible OR NOT k.accessible)
        AND (p_wants_charger OR NOT p_chargers_kept OR NOT k.charger)
$$;
