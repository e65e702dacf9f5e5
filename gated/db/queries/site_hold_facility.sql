-- Promises that nobody else moves the facility's counters before the transaction ends: entries and
-- exits do not wait for that, they leave what is to be counted.
SELECT f.id FROM public.facilities f WHERE f.id = $1 FOR NO KEY UPDATE
