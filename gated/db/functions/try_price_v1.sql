-- Promises the price of a stay as gate.price_stay_v1, or the SQLSTATE and the text of its error:
-- for many prices in one statement, of which some cannot be told.
CREATE OR REPLACE FUNCTION gate.try_price_v1(
    p_facility uuid, p_entry timestamptz, p_exit timestamptz, p_context jsonb DEFAULT '{}'
) RETURNS TABLE (
    amount numeric, currency char(3), rule_ids uuid[], lines jsonb, error text, reason text
)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT p.amount, p.currency, p.rule_ids, p.lines INTO amount, currency, rule_ids, lines
    FROM gate.price_stay_v1(p_facility, p_entry, p_exit, p_context) p;
    RETURN NEXT;
EXCEPTION
    WHEN SQLSTATE 'GT010' OR SQLSTATE 'GT011' OR SQLSTATE 'GT012' OR SQLSTATE 'GT013'
        OR SQLSTATE 'GT014' OR SQLSTATE 'GT015' OR SQLSTATE 'GT016' OR SQLSTATE 'GT017'
    THEN
        error := SQLSTATE;
        reason := SQLERRM;
        RETURN NEXT;
END
$$;
