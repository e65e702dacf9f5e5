-- A member of staff at every facility, with the right to open by hand and to match misread plates.
INSERT INTO public.facility_staff (facility_id, staff_member, permissions, operator_name)
SELECT s.facility_id, $1, '{open,match}', $2
FROM gate.facility_settings s
