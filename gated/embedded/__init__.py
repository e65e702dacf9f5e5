"""PostgreSQL and an MQTT broker as child processes, for the demo, the tests and small sites.

Nothing here is needed where real services run; everything it starts ends with the process that
asked for it, however that one ends.
"""

from gated.embedded.broker import BrokerAddress, embedded_broker
from gated.embedded.postgres import PostgresAddress, embedded_postgres_server

__all__ = ["BrokerAddress", "PostgresAddress", "embedded_broker", "embedded_postgres_server"]
