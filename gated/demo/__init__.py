"""The demo: real services from wheels, simulated hardware, and the daemon as in production."""
