"""The tariffs of one facility that are priced by: many rules, of which the last one holds."""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime

from gated.db.connect import Connection

ZONE = "Europe/Berlin"
# Long before any stay.
IN_FORCE_FROM = datetime(2000, 1, 1, tzinfo=UTC)

READINGS = {
    "limit_reading": "inclusive",
    "zero_stay": "free",
    "new_day": "continue",
    "second_visit": "separate",
}
# Day and night every day, cheaper on Sundays and holidays, a maximum for each night.
BANDS = {
    **READINGS,
    "band_border": "restart",
    "bands": [
        {
            "name": "Sunday",
            "days": ["sun", "holiday"],
            "from": "08:00",
            "until": "20:00",
            "steps": [{"minutes": 60, "price": "1.00"}],
        },
        {
            "name": "Day",
            "from": "08:00",
            "until": "20:00",
            "steps": [
                {"minutes": 60, "price": "3.00", "times": 1},
                {"minutes": 30, "price": "1.50"},
            ],
        },
        {
            "name": "Night",
            "from": "20:00",
            "until": "08:00",
            "steps": [{"minutes": 60, "price": "1.00"}],
            "maximum": "6.00",
        },
    ],
}
CAPS = {
    "caps": [
        {"per": "calendar_day", "amount": "22.00", "reading": "each"},
        {"per": "calendar_week", "week_begins": "mon", "amount": "99.00", "reading": "each"},
    ],
}
BLOCKS = {**READINGS, "steps": [{"minutes": 30, "price": "1.00"}]}


async def add_facility(
    connection: Connection, name: str, strategy: str, config: Mapping[str, object], rules: int
) -> uuid.UUID:
    """A facility whose stays are priced by `config`; `rules` - 1 before it are for members."""
    facility = uuid.uuid4()
    await connection.execute(
        "INSERT INTO facilities (id, name, city) VALUES ($1, $2, 'Berlin')", facility, name
    )
    await connection.execute(
        "INSERT INTO gate.facility_settings (facility_id, slug, time_zone, currency)"
        " VALUES ($1, $2, $3, 'EUR')",
        *(facility, name, ZONE),
    )
    await connection.executemany(
        "INSERT INTO gate.calendar_days (facility_id, day, kind)"
        " VALUES ($1, make_date($2, 12, 25), 'holiday')",
        [(facility, year) for year in range(2025, 2031)],
    )
    await connection.executemany(
        "INSERT INTO pricing_rules (facility_id, name, strategy, config, priority, valid_from)"
        " VALUES ($1, $2, $3::text::pricing_strategy, $4, $5, $6)",
        [
            (
                facility,
                f"rule {number}",
                strategy,
                json.dumps(
                    {**config, "for": {"members": [f"plan {number}"]}} if number else config
                ),
                number,
                IN_FORCE_FROM,
            )
            for number in range(rules)
        ],
    )
    return facility
