"""Real servers for the tests: found or skipped, started once, stopped by process id."""
