-- The time at which a plan looks at what is in force.
SELECT clock_timestamp()
