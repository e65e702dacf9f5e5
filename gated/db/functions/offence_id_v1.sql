-- Promises the id of the violation that an offence of this kind, found on this subject, has: found
-- twice, whoever finds it, it is one.
CREATE OR REPLACE FUNCTION gate.offence_id_v1(p_type text, p_subject text) RETURNS uuid
LANGUAGE sql IMMUTABLE AS $$
    SELECT md5('offence/' || p_type || '/' || p_subject)::uuid
$$;
