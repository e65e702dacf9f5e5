-- Whether this server knows the time zone $1: tariffs are read in it.
SELECT EXISTS (SELECT FROM pg_catalog.pg_timezone_names WHERE name = $1)
