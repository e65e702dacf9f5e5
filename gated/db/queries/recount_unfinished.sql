-- What is still under way: inbox rows, commands, and vehicles let in and not seen passing.
SELECT (SELECT count(*) FROM gate.events WHERE status = 'new')
     + (SELECT count(*) FROM gate.commands WHERE status = 'accepted')
     + (SELECT count(*) FROM public.bookings WHERE status = 'ACTIVE' AND entry_known IS NULL)
     + (SELECT count(*) FROM public.bookings WHERE status = 'COMPLETED' AND exit_known IS NULL)
       AS unfinished
