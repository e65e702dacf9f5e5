-- The statement that makes the database $1: CREATE DATABASE takes no parameters.
SELECT format('CREATE DATABASE %I TEMPLATE template0 ENCODING ''UTF8''', $1::text)
