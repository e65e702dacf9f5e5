-- Functions in a form that this version has another one of, or none. Applied before the functions,
-- in the same transaction: whoever calls them finds the old form or the new one, at any time. A
-- migration must not drop them, for it commits earlier, and daemons go on meanwhile.
--
-- What only gets an argument with a default, or a column at the end of its answer, is the same for
-- those who name both. The server takes the one for a second function beside the first and refuses
-- the other, so the old form goes. Grants to others go with it: gated/db/grants.sql states ours.
--
-- Whoever is in the midst of a function that is dropped fails when it returns. Daemons look at their
-- lease before all else (gate.hold_fence_v1): decisions under way end first, and the next ones wait there.
DO $$
DECLARE
    old_forms regprocedure[];
    old_form regprocedure;
BEGIN
    old_forms := ARRAY(
        SELECT p.oid
        FROM (VALUES
            ('gate.holds_spot(public.bookings)', NULL),
            ('gate.price_frozen_v1(public.bookings, boolean, timestamptz)', NULL),
            ('gate.add_command_v1(uuid, bigint, uuid, uuid, text, uuid, numeric, char, uuid, uuid,'
                ' text, text, timestamptz, timestamptz, boolean)', NULL),
            ('gate.record_decision_v1(uuid, bigint, uuid, timestamptz, uuid, text, text, text, text,'
                ' real, uuid, uuid, uuid, numeric, char, timestamptz, uuid, uuid, text, text,'
                ' timestamptz, timestamptz, boolean)', NULL),
            ('gate.deny_v1(uuid, bigint, uuid, uuid, text, text, text, real, timestamptz, uuid, uuid,'
                ' text, text, timestamptz, timestamptz, boolean)', NULL),
            ('gate.ask_payment_v1(uuid, bigint, uuid, uuid, uuid, text, numeric, char, timestamptz,'
                ' uuid, uuid, text, text, timestamptz, timestamptz, boolean)', NULL),
            ('gate.admit_v1(uuid, bigint, uuid, uuid, uuid, uuid, text, text, real, timestamptz, text,'
                ' uuid, uuid, uuid, uuid, text, text, timestamptz, timestamptz, boolean, text, uuid,'
                ' uuid)', NULL),
            ('gate.admit_v1(uuid, bigint, uuid, uuid, uuid, uuid, text, text, real, timestamptz, text,'
                ' uuid, uuid, uuid, uuid, text, text, timestamptz, timestamptz, boolean, text, uuid,'
                ' uuid, text, jsonb)', NULL),
            ('gate.admit_v1(uuid, bigint, uuid, uuid, uuid, uuid, text, text, real, timestamptz, text,'
                ' uuid, uuid, uuid, uuid, text, text, timestamptz, timestamptz, boolean, text, uuid,'
                ' uuid, text, jsonb, uuid)', NULL),
            ('gate.deny_v1(uuid, bigint, uuid, uuid, text, text, text, real, timestamptz, uuid, uuid,'
                ' text, text, timestamptz, timestamptz, boolean, text, jsonb)', NULL),
            ('gate.move_stay_v1(uuid, bigint, uuid, uuid, uuid, uuid, boolean, text, text, real,'
                ' timestamptz, text, uuid, uuid, text, text, timestamptz, timestamptz, boolean, jsonb,'
                ' text, jsonb)', NULL),
            ('gate.event_status_v1(uuid, uuid, timestamptz)', NULL),
            ('gate.release_v1(uuid, bigint, uuid, uuid, uuid, text, text, real, timestamptz, text,'
                ' uuid, uuid, text, text, timestamptz, timestamptz, boolean, jsonb)', NULL),
            ('gate.plate_snapshot_v1(uuid, text, text, timestamptz)', NULL),
            ('gate.operate_v1(uuid, bigint, uuid, uuid, text, text, text, timestamptz, uuid, uuid,'
                ' text, text, timestamptz, timestamptz, boolean, text)', NULL),
            -- The same arguments as today's, which answers with this column too.
            ('gate.take_payment_v1(uuid, bigint, uuid, uuid, text, text, numeric, text, text, text,'
                ' timestamptz)', 'grace_until'),
            ('gate.admit_walk_in_v1(uuid, uuid, uuid, uuid, text, text, timestamptz, uuid, uuid,'
                ' text, uuid)', 'waited_ms'),
            ('gate.admit_booking_v1(uuid, uuid, uuid, uuid, text, text, timestamptz, uuid)',
                'waited_ms'),
            ('gate.lock_spot_v1(uuid, uuid, public.spot_size, boolean, boolean, tstzrange, uuid)',
                'waited_ms')
        ) AS old (form, lacks)
        JOIN pg_catalog.pg_proc p ON p.oid = to_regprocedure(old.form)
        WHERE old.lacks IS NULL OR old.lacks <> ALL (p.proargnames)
    );
    IF old_forms <> '{}' THEN
        LOCK TABLE gate.leases IN ACCESS EXCLUSIVE MODE;
    END IF;
    FOREACH old_form IN ARRAY old_forms LOOP
        EXECUTE format('DROP FUNCTION %s', old_form);
    END LOOP;
END $$;
