"""The web shop, as far as drivers use it: a spot reserved from the phone at the gate."""

import asyncio

from gated.core.ids import Slug
from gated.db.connect import Connection
from gated.db.sql import sql


class Shop:
    """It shares nothing with gated but the database."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._one_at_a_time = asyncio.Lock()

    async def reserve(self, facility: Slug, plate: str, seconds: float) -> None:
        """From now on, for so long."""
        async with self._one_at_a_time:
            await self._connection.execute(sql("demo_reserve"), facility, plate, seconds)
