-- First in each transaction of an upgrade: one upgrade at a time per database, whatever pooler
-- stands between. Waiting for the turn has no limit, waiting for a table has: behind a lock that
-- cannot be had, every other query on that table queues. A daemon waits for two seconds.
SET LOCAL statement_timeout = 0;
SET LOCAL lock_timeout = 0;
SET LOCAL idle_in_transaction_session_timeout = '60s';
SELECT pg_advisory_xact_lock(1734440036, 1);
SET LOCAL lock_timeout = '1s';
SET LOCAL search_path = public;
SET LOCAL timezone = 'UTC';
SET LOCAL client_min_messages = warning;
-- The functions of one run may call each other whatever their order.
SET LOCAL check_function_bodies = off;
