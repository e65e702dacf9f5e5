"""What all stories share with the tests of the actors."""

from tests.actors import conftest

log_events = conftest.log_events
until = conftest.until
