-- The stored functions as they were when 0003_passages was made: their names, arguments and answers,
-- and nothing in them, but for the one that makes the partitions.

CREATE FUNCTION gate.acquire_lease_v1(p_facility uuid, p_holder text, p_ttl interval) RETURNS
    TABLE(fence bigint, revision bigint)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.add_command_v1(p_facility uuid, p_fence bigint, p_event uuid, p_lane uuid,
    p_plate text, p_stay uuid, p_price numeric, p_currency character, p_command uuid, p_device
    uuid, p_do text, p_command_reason text, p_issued_at timestamp with time zone, p_expires_at
    timestamp with time zone, p_taken boolean) RETURNS void
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.admit_booking_v1(p_facility uuid, p_booking uuid, p_lane uuid, p_zone uuid,
    p_plate text, p_plate_raw text, p_at timestamp with time zone, p_vehicle uuid, OUT outcome
    text, OUT stay uuid, OUT spot uuid, OUT spot_number text, OUT ticket text) RETURNS record
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.admit_v1(p_facility uuid, p_fence bigint, p_event uuid, p_lane uuid, p_zone
    uuid, p_stay uuid, p_plate text, p_plate_raw text, p_confidence real, p_at timestamp with time
    zone, p_reason text, p_vehicle uuid, p_user uuid, p_command uuid, p_device uuid, p_do text,
    p_command_reason text, p_issued_at timestamp with time zone, p_expires_at timestamp with time
    zone, p_taken boolean, p_entitlement text, p_booking uuid, p_subscription uuid) RETURNS
    TABLE(outcome text, available integer, stay uuid, spot uuid, spot_number text, ticket text)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.admit_walk_in_v1(p_facility uuid, p_stay uuid, p_lane uuid, p_zone uuid,
    p_plate text, p_plate_raw text, p_at timestamp with time zone, p_vehicle uuid, p_user uuid,
    p_entitlement text, p_subscription uuid, OUT outcome text, OUT stay uuid, OUT spot uuid, OUT
    spot_number text, OUT ticket text) RETURNS record
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.advance_command_v1(p_facility uuid, p_fence bigint, p_command uuid, p_status
    text, p_error text, p_at timestamp with time zone) RETURNS text
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.amount_text_v1(p_amount numeric, p_exponent integer) RETURNS text
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.append_events_v1(p_facility uuid, p_fence bigint, p_ids uuid[], p_keys
    text[], p_devices uuid[], p_lanes uuid[], p_topics text[], p_payloads bytea[], p_kinds text[],
    p_statuses text[], p_errors text[], p_device_ats timestamp with time zone[], p_received_ats
    timestamp with time zone[]) RETURNS boolean[]
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.ask_payment_v1(p_facility uuid, p_fence bigint, p_event uuid, p_lane uuid,
    p_stay uuid, p_plate text, p_due numeric, p_currency character, p_at timestamp with time zone,
    p_command uuid, p_device uuid, p_do text, p_command_reason text, p_issued_at timestamp with
    time zone, p_expires_at timestamp with time zone, p_taken boolean) RETURNS boolean
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.band_pieces_v1(p_facility uuid, p_zone text, p_bands jsonb, p_from timestamp
    with time zone, p_until timestamp with time zone) RETURNS TABLE(starts timestamp with time
    zone, ends timestamp with time zone, band integer, occurrence date)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.begin_after_v1(p_at timestamp with time zone, p_zone text, p_begins interval,
    p_weekday integer DEFAULT NULL::integer) RETURNS timestamp with time zone
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.blocks_begun_v1(p_clock numeric, p_starts numeric, p_block numeric, p_times
    numeric, p_inclusive boolean) RETURNS numeric
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.booking_due_v1(p_facility uuid, p_from timestamp with time zone, p_until
    timestamp with time zone, p_at timestamp with time zone) RETURNS boolean
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.booking_kept_until_v1(p_from timestamp with time zone, p_until timestamp with
    time zone, p_late_minutes_max integer) RETURNS timestamp with time zone
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.booking_to_pay_v1(p_facility uuid, p_ticket text, p_plate text) RETURNS uuid
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.cancel_admission_v1(p_facility uuid, p_fence bigint, p_stay uuid, p_lane
    uuid, p_reason text, p_at timestamp with time zone, p_correlation uuid) RETURNS integer
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.cancel_booking_v1(p_facility uuid, p_booking uuid, p_reason text, p_at
    timestamp with time zone, p_actor text DEFAULT 'web'::text, p_staff uuid DEFAULT NULL::uuid)
    RETURNS text
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.charge_stay_v1(p_facility uuid, p_booking uuid, p_entry_time timestamp with
    time zone, p_at timestamp with time zone) RETURNS TABLE(amount numeric, currency character,
    rule_ids uuid[], lines jsonb, paid numeric, due numeric)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.charge_time_v1(p_rule pricing_rules, p_zone text, p_from timestamp with time
    zone, p_until timestamp with time zone, p_factor numeric, p_raised numeric, p_cuts timestamp
    with time zone[], p_head jsonb) RETURNS TABLE(starts timestamp with time zone, ends timestamp
    with time zone, band integer, occurrence date, maximum numeric, added numeric, blocks numeric,
    line jsonb)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.charged_periods_v1(p_reservation jsonb, p_entry timestamp with time zone,
    p_exit timestamp with time zone, p_reserved tstzrange) RETURNS TABLE(starts timestamp with
    time zone, ends timestamp with time zone, reserved boolean)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.check_context_v1(p_context jsonb, p_entry timestamp with time zone,
    p_seconds_max numeric) RETURNS void
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.claimed_spots_v1(p_facility uuid, p_during tstzrange, p_at timestamp with
    time zone, p_stay_minutes integer) RETURNS TABLE(spot uuid)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.clock_minutes_v1(p_clock text) RETURNS integer
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.complete_passage_v1(p_facility uuid, p_fence bigint, p_stay uuid, p_lane
    uuid, p_known text, p_at timestamp with time zone, p_correlation uuid) RETURNS void
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.conditions_hold_v1(p_for jsonb, p_context jsonb) RETURNS boolean
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.count_all_changes_v1() RETURNS integer
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.days_kinds_v1(p_facility uuid, p_first date, p_last date) RETURNS TABLE(day
    date, kinds text[])
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.deny_v1(p_facility uuid, p_fence bigint, p_event uuid, p_lane uuid, p_reason
    text, p_plate text, p_plate_raw text, p_confidence real, p_at timestamp with time zone,
    p_command uuid, p_device uuid, p_do text, p_command_reason text, p_issued_at timestamp with
    time zone, p_expires_at timestamp with time zone, p_taken boolean) RETURNS boolean
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.dispatch_command_v1(p_facility uuid, p_fence bigint, p_command uuid, p_at
    timestamp with time zone) RETURNS text
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.due_v1(p_booking bookings, p_at timestamp with time zone) RETURNS numeric
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.earlier_visit_v1(p_rule pricing_rules, p_zone text, p_entry timestamp with
    time zone, p_context jsonb) RETURNS jsonb
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.entry_context_v1(p_facility uuid, p_at timestamp with time zone) RETURNS
    jsonb
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.event_status_v1(p_facility uuid, p_event uuid, p_at timestamp with time zone)
    RETURNS TABLE(status text, received_at timestamp with time zone)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.expire_commands_v1(p_facility uuid, p_fence bigint, p_at timestamp with time
    zone) RETURNS TABLE(command uuid, lane uuid, status text)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.expire_no_shows_v1(p_facility uuid, p_at timestamp with time zone, p_actor
    text DEFAULT 'gated'::text) RETURNS SETOF uuid
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.free_spots_v1(p_facility uuid, p_from timestamp with time zone, p_until
    timestamp with time zone, p_at timestamp with time zone, p_size spot_size DEFAULT
    'COMPACT'::spot_size, p_wants_charger boolean DEFAULT false, p_accessible boolean DEFAULT
    false) RETURNS TABLE(zone uuid, code text, size spot_size, has_ev_charger boolean,
    is_accessible boolean, free integer)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.hold_fence_v1(p_facility uuid, p_fence bigint) RETURNS void
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.hold_spots_v1(p_facility uuid, p_at timestamp with time zone) RETURNS integer
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.lease_lock_v1(p_facility uuid) RETURNS bigint
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.lock_booking_v1(p_facility uuid, p_booking uuid) RETURNS bookings
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.lock_reserved_spot_v1(p_facility uuid, p_zone uuid, p_spot uuid, p_size
    spot_size, p_wants_charger boolean, p_accessible boolean, p_during tstzrange, p_at timestamp
    with time zone, p_seed uuid) RETURNS uuid
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.lock_spot_ahead_v1(p_facility uuid, p_zone uuid, p_size spot_size, p_chargers
    boolean[], p_accessible boolean[], p_during tstzrange, p_at timestamp with time zone,
    p_stay_minutes integer, p_seed uuid) RETURNS uuid
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.lock_spot_v1(p_zone uuid, p_lane uuid, p_size spot_size, p_wants_charger
    boolean, p_accessible boolean, p_during tstzrange, p_seed uuid, OUT spot uuid, OUT refusal
    text) RETURNS record
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.lose_ticket_v1(p_facility uuid, p_booking uuid, p_at timestamp with time
    zone, p_actor text DEFAULT 'web'::text, p_staff uuid DEFAULT NULL::uuid) RETURNS text
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.net_of_tax_v1(p_config jsonb, p_amount numeric) RETURNS numeric
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.open_violation_v1(p_violation uuid, p_facility uuid, p_type text, p_booking
    uuid, p_vehicle uuid, p_user uuid, p_plate text, p_evidence jsonb, p_at timestamp with time
    zone, p_correlation uuid, p_actor text DEFAULT 'gated'::text, p_staff uuid DEFAULT NULL::uuid)
    RETURNS numeric
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.open_zone_v1(p_facility uuid, p_zone uuid) RETURNS boolean
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.paid_v1(p_booking uuid) RETURNS numeric
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.party_context_v1(p_facility uuid, p_vehicle uuid, p_user uuid, p_zone uuid,
    p_at timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.plate_snapshot_v1(p_facility uuid, p_plate text, p_direction text, p_at
    timestamp with time zone) RETURNS TABLE(vehicle uuid, owner uuid, blocked boolean, stay uuid,
    entry_at timestamp with time zone, zone uuid, spot uuid, spot_number text, ticket text,
    released boolean, price numeric, currency character, zones uuid[], available integer[], due
    numeric, booking uuid, booking_zone uuid, subscription uuid, staff boolean, violations
    integer, violation_denies boolean)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.price_by_rule_v1(p_rule pricing_rules, p_zone text, p_exponent integer,
    p_entry timestamp with time zone, p_exit timestamp with time zone, p_context jsonb, OUT amount
    numeric, OUT lines jsonb) RETURNS record
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.price_frozen_v1(p_booking bookings, p_freeze boolean, p_at timestamp with
    time zone, OUT rule uuid, OUT lines jsonb) RETURNS record
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.price_line_v1(p_line jsonb, p_amount numeric, p_scale numeric, p_exponent
    integer) RETURNS jsonb
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.price_scale_v1(p_config jsonb) RETURNS numeric
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.price_stay_v1(p_facility uuid, p_entry timestamp with time zone, p_exit
    timestamp with time zone, p_context jsonb DEFAULT '{}'::jsonb) RETURNS TABLE(amount numeric,
    currency character, rule_ids uuid[], lines jsonb)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.price_time_v1(p_rule pricing_rules, p_zone text, p_from timestamp with time
    zone, p_until timestamp with time zone, p_factor numeric, p_fee numeric, p_scale numeric,
    p_exponent integer, p_unit numeric, p_mode text, p_head jsonb, OUT amount numeric, OUT lines
    jsonb[], OUT costs boolean) RETURNS record
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.quote_v1(p_facility uuid, p_from timestamp with time zone, p_until timestamp
    with time zone, p_vehicle uuid DEFAULT NULL::uuid, p_user uuid DEFAULT NULL::uuid, p_zone uuid
    DEFAULT NULL::uuid, p_reserved boolean DEFAULT false, p_context jsonb DEFAULT '{}'::jsonb)
    RETURNS TABLE(amount numeric, currency character, rule_ids uuid[], lines jsonb)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.rates_v1(p_strategy pricing_strategy, p_config jsonb, p_factor numeric,
    p_raised numeric, p_head jsonb) RETURNS TABLE(band integer, kind text, maximum numeric, starts
    numeric, ends numeric, block numeric, times numeric, price numeric, line jsonb)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.record_audit_v1(p_facility uuid, p_action text, p_resource_type text,
    p_resource uuid, p_at timestamp with time zone, p_correlation uuid, p_details jsonb, p_actor
    text DEFAULT 'gated'::text, p_user uuid DEFAULT NULL::uuid) RETURNS void
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.record_command_v1(p_command gate.commands, p_at timestamp with time zone)
    RETURNS void
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.record_decision_v1(p_facility uuid, p_fence bigint, p_event uuid,
    p_received_at timestamp with time zone, p_lane uuid, p_decision text, p_reason text, p_plate
    text, p_plate_raw text, p_confidence real, p_stay uuid, p_zone uuid, p_spot uuid, p_price
    numeric, p_currency character, p_at timestamp with time zone, p_command uuid, p_device uuid,
    p_do text, p_command_reason text, p_issued_at timestamp with time zone, p_expires_at timestamp
    with time zone, p_taken boolean) RETURNS void
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.record_payment_v1(p_payment uuid, p_facility uuid, p_ticket text, p_plate
    text, p_amount numeric, p_currency text, p_provider text, p_txn text, p_at timestamp with time
    zone, p_correlation uuid, p_user uuid DEFAULT NULL::uuid, p_actor text DEFAULT 'web'::text,
    p_staff uuid DEFAULT NULL::uuid, OUT outcome text, OUT counted boolean, OUT booking uuid, OUT
    ticket text, OUT paid numeric, OUT due numeric, OUT currency character, OUT grace_until
    timestamp with time zone) RETURNS record
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.recount_v1(p_facility uuid) RETURNS integer
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.refund_v1(p_refund uuid, p_facility uuid, p_payment uuid, p_amount numeric,
    p_txn text, p_reason text, p_at timestamp with time zone, p_correlation uuid, p_actor text
    DEFAULT 'web'::text, p_staff uuid DEFAULT NULL::uuid) RETURNS text
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.release_lease_v1(p_facility uuid, p_holder text, p_fence bigint) RETURNS void
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.release_v1(p_facility uuid, p_fence bigint, p_event uuid, p_lane uuid, p_stay
    uuid, p_plate text, p_plate_raw text, p_confidence real, p_at timestamp with time zone,
    p_reason text, p_command uuid, p_device uuid, p_do text, p_command_reason text, p_issued_at
    timestamp with time zone, p_expires_at timestamp with time zone, p_taken boolean, p_match
    jsonb DEFAULT NULL::jsonb) RETURNS TABLE(outcome text, zone uuid, available integer,
    spot_number text, price numeric, currency character, due numeric)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.renew_lease_v1(p_facility uuid, p_holder text, p_fence bigint, p_ttl
    interval) RETURNS bigint
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.repair_v1(p_facility uuid, p_at timestamp with time zone, p_actor text)
    RETURNS TABLE(kind text, facility uuid, subject uuid, field text, stated text, counted text,
    mended boolean)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.reservation_refusal_v1(p_facility uuid, p_from timestamp with time zone,
    p_until timestamp with time zone, p_at timestamp with time zone, p_plate text, p_vehicle uuid,
    p_zone uuid, p_spot uuid, p_size spot_size, p_wants_charger boolean, p_accessible boolean)
    RETURNS text
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.reserve_v1(p_booking uuid, p_facility uuid, p_from timestamp with time zone,
    p_until timestamp with time zone, p_at timestamp with time zone, p_plate text DEFAULT
    NULL::text, p_vehicle uuid DEFAULT NULL::uuid, p_user uuid DEFAULT NULL::uuid, p_zone uuid
    DEFAULT NULL::uuid, p_spot uuid DEFAULT NULL::uuid, p_size spot_size DEFAULT NULL::spot_size,
    p_wants_charger boolean DEFAULT NULL::boolean, p_accessible boolean DEFAULT false, p_actor
    text DEFAULT 'web'::text, p_staff uuid DEFAULT NULL::uuid, OUT outcome text, OUT ticket text,
    OUT zone uuid, OUT spot uuid, OUT spot_number text, OUT estimated_price numeric, OUT currency
    character) RETURNS record
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.rounded_line_v1(p_amount numeric, p_unit numeric, p_mode text) RETURNS
    numeric
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.rounded_v1(p_amount numeric, p_unit numeric, p_mode text) RETURNS numeric
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.rule_in_force_v1(p_facility uuid, p_at timestamp with time zone, p_context
    jsonb DEFAULT '{}'::jsonb) RETURNS pricing_rules
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.settle_events_v1(p_facility uuid, p_fence bigint, p_ids uuid[], p_outcomes
    text[]) RETURNS void
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.size_needed_v1(p_type vehicle_type) RETURNS spot_size
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.skip_to_spot_v1(p_zone uuid, p_lane uuid, p_fill text, p_size spot_size,
    p_charger boolean, p_accessible boolean, p_during tstzrange, p_seed uuid) RETURNS uuid
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.special_fits_v1(p_special jsonb, p_entry timestamp without time zone, p_exit
    timestamp without time zone, p_kinds text[], p_kinds_before text[]) RETURNS boolean
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.special_of_v1(p_rule pricing_rules, p_zone text, p_entry timestamp with time
    zone, p_exit timestamp with time zone) RETURNS jsonb
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.spot_classes_v1(p_wants_charger boolean, p_accessible boolean,
    p_chargers_kept boolean, OUT chargers boolean[], OUT accessible boolean[]) RETURNS record
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.spot_free_v1(p_spot uuid, p_during tstzrange, p_at timestamp with time zone,
    p_stay_minutes integer) RETURNS boolean
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.stay_context_v1(p_booking bookings) RETURNS jsonb
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.take_entry_v1(p_facility uuid, p_subscription uuid, p_user uuid, p_at
    timestamp with time zone) RETURNS text
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.take_payment_v1(p_facility uuid, p_fence bigint, p_event uuid, p_payment
    uuid, p_ticket text, p_plate text, p_amount numeric, p_currency text, p_provider text, p_txn
    text, p_at timestamp with time zone, OUT outcome text, OUT ticket text, OUT due numeric, OUT
    currency character) RETURNS record
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.taxes_v1(p_config jsonb, p_amount numeric, p_lines jsonb[], p_exponent
    integer, p_head jsonb, OUT added numeric, OUT lines jsonb[]) RETURNS record
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.told_payment_v1(p_payment uuid, p_provider text, p_txn text) RETURNS SETOF
    uuid
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.try_price_v1(p_facility uuid, p_entry timestamp with time zone, p_exit
    timestamp with time zone, p_context jsonb DEFAULT '{}'::jsonb) RETURNS TABLE(amount numeric,
    currency character, rule_ids uuid[], lines jsonb, error text, reason text)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.utc_text_v1(p_at timestamp with time zone) RETURNS text
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.validate_stay_v1(p_facility uuid, p_booking uuid, p_validation text, p_at
    timestamp with time zone, p_actor text DEFAULT 'web'::text, p_staff uuid DEFAULT NULL::uuid)
    RETURNS text
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.validated_v1(p_rule pricing_rules, p_given jsonb) RETURNS SETOF jsonb
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.vehicle_of_v1(p_vehicle uuid, p_plate text, p_user uuid) RETURNS vehicles
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.verify_v1(p_facility uuid DEFAULT NULL::uuid) RETURNS TABLE(kind text,
    facility uuid, subject uuid, field text, stated text, counted text)
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.why_no_spot_v1(p_zone uuid, p_size spot_size, p_chargers boolean[],
    p_accessible boolean[]) RETURNS text
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.window_borders_v1(p_per text, p_begins text, p_week_begins text, p_zone text,
    p_from timestamp with time zone, p_until timestamp with time zone) RETURNS SETOF timestamp
    with time zone
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.window_ends_v1(p_per text, p_begins text, p_week_begins text, p_zone text,
    p_anchor timestamp with time zone, p_at timestamp with time zone) RETURNS timestamp with time
    zone
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;
CREATE FUNCTION gate.zone_available_v1(p_zone uuid) RETURNS integer
    LANGUAGE plpgsql AS $$ BEGIN RAISE 'before 0003'; END $$;

-- Makes the monthly partitions (UTC months) that are missing; answers how many it made.
--
-- Bookings, which may be made long ahead: from the month before p_from to p_months after it.
-- Records, which are written as they happen: the same, but at most three months after it.
-- Cheap when nothing is missing, and safe to run from many places at once, with writers at work:
-- a new partition is attached, which needs no exclusive lock on its table.
CREATE OR REPLACE FUNCTION gate.ensure_partitions_v1(p_from date, p_months integer)
    RETURNS integer
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
    missing record;
    made integer := 0;
BEGIN
    IF p_from IS NULL OR p_months IS NULL OR p_months NOT BETWEEN 0 AND 120 THEN
        RAISE invalid_parameter_value USING MESSAGE = format(
            'ensure_partitions_v1: p_from must be given and p_months be 0 to 120, got %s and %s',
            p_from, p_months);
    END IF;
    PERFORM pg_advisory_xact_lock(1734440036, 2);
    FOR missing IN
        SELECT parent.schema_name, parent.table_name, month,
            format('%s_%s', parent.table_name, to_char(month, 'YYYY_MM')) AS partition_name
        FROM (VALUES
            ('public', 'bookings', p_months),
            ('public', 'audit_logs', least(p_months, 3)),
            ('gate', 'events', least(p_months, 3)),
            ('gate', 'decisions', least(p_months, 3))
        ) AS parent (schema_name, table_name, months)
        CROSS JOIN LATERAL generate_series(
            date_trunc('month', p_from::timestamp) - interval '1 month',
            date_trunc('month', p_from::timestamp) + make_interval(months => parent.months),
            interval '1 month'
        ) AS month
        WHERE to_regclass(format('%I.%I', parent.schema_name,
            format('%s_%s', parent.table_name, to_char(month, 'YYYY_MM')))) IS NULL
        ORDER BY parent.schema_name, parent.table_name, month
    LOOP
        EXECUTE format(
            'CREATE TABLE %1$I.%2$I (LIKE %1$I.%3$I INCLUDING DEFAULTS INCLUDING CONSTRAINTS)',
            missing.schema_name, missing.partition_name, missing.table_name);
        EXECUTE format(
            'ALTER TABLE %1$I.%3$I ATTACH PARTITION %1$I.%2$I FOR VALUES FROM (%4$L) TO (%5$L)',
            missing.schema_name, missing.partition_name, missing.table_name,
            missing.month AT TIME ZONE 'UTC',
            (missing.month + interval '1 month') AT TIME ZONE 'UTC');
        made := made + 1;
    END LOOP;
    RETURN made;
END $$;
