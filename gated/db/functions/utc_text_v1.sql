-- Promises the RFC 3339 text of an instant in UTC, whatever the session's zone and date style.
CREATE OR REPLACE FUNCTION gate.utc_text_v1(p_at timestamptz) RETURNS text
LANGUAGE sql STABLE STRICT AS $$
    SELECT to_char(p_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
$$;
