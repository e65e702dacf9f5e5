"""Plays the demo: services up, sites in, daemon as a child process, traffic, recount, all down."""

import asyncio
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from signal import SIGTERM

import aiohttp
from rich.console import Console

from gated.app import SystemClock
from gated.core.errors import ConfigError
from gated.core.money import Money
from gated.core.site import Direction, UnpaidExit
from gated.db.connect import Connection, connected
from gated.db.migrate import init
from gated.db.site import apply
from gated.db.sql import sql
from gated.demo.axis_shelly import AxisShellyHardware
from gated.demo.drivers import Role, Traffic
from gated.demo.hardware import Hardware, Shared
from gated.demo.ledger import Ledger
from gated.demo.manoeuvres import CarPark, Pace
from gated.demo.native import NativeHardware
from gated.demo.people import OPERATOR, People
from gated.demo.recount import Report, recount, unfinished
from gated.demo.shop import Shop
from gated.devices.families import CODECS
from gated.devices.mqtt import BrokerSettings
from gated.embedded import BrokerAddress, PostgresAddress, embedded_broker, embedded_postgres_server
from gated.embedded.ports import held_ports
from gated.embedded.process import GuardedProcess, start_guarded
from gated.site import Lane, lane_policy
from gated.site_rules import SiteFile, load_site
from gated.tariff.model import FlatTariff

DATABASE = "gated_demo"
DAEMON_ROLE = "gated_daemon"
READY_SECONDS_MAX = 30.0
QUIET_SECONDS_MAX = 15.0
WATCH_SECONDS = 0.5
REGISTERED = tuple(f"REG{number:03d}" for number in range(20))
BLOCKED = tuple(f"BAN{number:03d}" for number in range(3))
# What is to be seen in any case, in this order, before chance decides who comes.
CAST = {
    "harbour": (
        Role.VISITS,
        Role.IS_MISREAD_AT_EXIT,
        Role.BACKS_OUT,
        Role.IS_FOLLOWED_IN,
        Role.LEAVES_A_STUCK_LOOP,
    ),
    "market": (
        Role.PAYS_LATE,
        Role.IS_UNREAD,
        Role.IS_FOLLOWED_OUT,
        Role.MEETS_A_SLOW_ARM,
        Role.PAYS_A_PART,
        Role.IS_MISREAD_TWICE,
        Role.IS_MISREAD_AT_ENTRY,
        Role.BACKS_OFF_UNPAID,
        Role.OVERSTAYS,
    ),
    "station": (Role.VISITS, Role.IS_UNREAD, Role.MEETS_A_STUCK_ARM, Role.BACKS_OUT),
}


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asked for. `speed` 2 doubles the traffic and halves its waits.

    `misread_rate`: how many of 1 plates the cameras misread.
    """

    seconds: float
    seed: int
    speed: float
    misread_rate: float


@dataclass(frozen=True, slots=True)
class Stage:
    """The services that run while the demo plays, and a directory for what they need."""

    postgres: PostgresAddress
    broker: BrokerAddress
    directory: Path

    @property
    def owner_dsn(self) -> str:
        """The demo database, as its owner."""
        return self.postgres.dsn_for(DATABASE)

    @property
    def daemon_dsn(self) -> str:
        """The demo database, as the daemon's role."""
        return self.postgres.dsn_for(DATABASE, user=DAEMON_ROLE)


@dataclass(frozen=True, slots=True)
class RunningDaemon:
    """The daemon's process, and the root of its HTTP server."""

    process: GuardedProcess
    url: str

    @property
    def pid(self) -> int:
        return self.process.pid

    async def ended(self) -> None:
        """Returns when the daemon is gone, which nobody asked it to be."""
        while True:
            if not self.process.running():
                return
            await asyncio.sleep(WATCH_SECONDS)


async def play(wish: Wish, stage: Stage, console: Console, began_monotonic: float) -> Report:
    """Set up, let traffic flow, recount. `began_monotonic`: when the user started to wait."""
    rng = random.Random(wish.seed)
    console.print("[dim]creating the database, setting up three facilities …[/dim]")
    files = sites()
    await set_up(stage, files)
    ledger = Ledger()
    clock = SystemClock()
    async with connected(stage.owner_dsn) as connection:
        world = World(stage.broker, Shop(connection), ledger, clock, rng, wish.misread_rate)
        report = await _played(wish, stage, world, files, console)
    if ledger.first_open_monotonic is not None:
        report.first_open_seconds = round(ledger.first_open_monotonic - began_monotonic, 2)
    report.seed = wish.seed
    return report


async def _played(
    wish: Wish, stage: Stage, world: "World", files: Sequence[SiteFile], console: Console
) -> Report:
    parks = [_car_park(site, world) for site in files]
    traffics = [
        Traffic(
            park,
            CAST[park.slug],
            pace=Pace(wish.speed),
            ledger=world.ledger,
            rng=random.Random(world.rng.random()),
        )
        for park in parks
    ]
    hardware = [one for park in parks for one in (*park.entries, *park.exits)]
    people = [park.people for park in parks]
    # The hardware is there before the daemon and after it, as it is everywhere.
    async with _sessions([*hardware, *people]), daemon(stage) as running:
        console.print(f"[dim]{len(hardware)} lanes are connected; traffic flows …[/dim]")
        await _flow(traffics, wish.seconds, running)
        console.print("[dim]no more arrivals; waiting for the last ones to pass …[/dim]")
        async with connected(stage.owner_dsn) as connection:
            await _quiet(connection)
            metrics = await _text(f"{running.url}/metrics")
            return await recount(connection, world.ledger, metrics)


@contextmanager
def stage(console: Console) -> Iterator[Stage]:
    """PostgreSQL and the broker, from wheels, in a directory that is removed afterwards."""
    console.print("[dim]starting PostgreSQL and an MQTT broker …[/dim]")
    with tempfile.TemporaryDirectory(prefix="gated-demo-") as name:
        directory = Path(name)
        # The server runs as another user where we are root, and must reach its own directory.
        directory.chmod(0o755)
        for part in ("postgres", "broker"):
            (directory / part).mkdir()
        with (
            embedded_postgres_server(directory / "postgres") as postgres,
            embedded_broker(directory / "broker") as broker,
        ):
            yield Stage(postgres, broker, directory)


def sites() -> Sequence[SiteFile]:
    """The demo's three facilities."""
    folder = resources.files("gated.demo") / "sites"
    with resources.as_file(folder) as path:
        return [load_site(file, CODECS) for file in sorted(path.glob("*.toml"))]


async def set_up(stage: Stage, files: Sequence[SiteFile]) -> None:
    """The demo database: created, its facilities applied, some vehicles known."""
    await init(stage.owner_dsn)
    async with connected(stage.owner_dsn) as connection:
        for site in files:
            await apply(connection, site)
        for plate in REGISTERED:
            owner = await connection.fetchval(sql("demo_owner_add"), f"{plate}@shop.example")
            await connection.execute(sql("demo_vehicle_add"), owner, plate, False)
        for plate in BLOCKED:
            await connection.execute(sql("demo_vehicle_add"), None, plate, True)
        operator = await connection.fetchval(sql("demo_owner_add"), f"{OPERATOR}@desk.example")
        await connection.execute(sql("demo_operator_add"), operator, OPERATOR)


# ── the daemon ──────────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def daemon(stage: Stage) -> AsyncIterator[RunningDaemon]:
    """`gated run` as in production, its log on our terminal, until the block ends."""
    config = stage.directory / "config.toml"
    command = [sys.executable, "-m", "gated", "run", "--config", str(config)]
    with held_ports(1) as (port,):
        config.write_text(_config(stage, port))
        process = start_guarded(
            command,
            directory=stage.directory,
            log=None,
            stops=[(SIGTERM, 20.0)],
        )
        try:
            url = f"http://127.0.0.1:{port}"
            await _ready(process, f"{url}/readyz")
            yield RunningDaemon(process, url)
        finally:
            await asyncio.to_thread(process.stop)


def _config(stage: Stage, http_port: int) -> str:
    """The smallest configuration that does: where the database and the broker are."""
    return f"""\
[database]
dsn = "{stage.daemon_dsn}"
# No pgBouncer in between, so statements may stay prepared.
statement_cache_size = 256

[mqtt]
host = "{stage.broker.host}"
port = {stage.broker.port_v5}

[daemon]
node = "demo"

[http]
port = {http_port}

[log]
format = "console"
"""


async def _ready(process: GuardedProcess, url: str) -> None:
    """Wait until the daemon runs its facilities. Raises ConfigError if it never does."""
    deadline = time.monotonic() + READY_SECONDS_MAX
    async with aiohttp.ClientSession() as http:
        while time.monotonic() < deadline:
            if not process.running():
                raise ConfigError("the daemon ended as it started; its log above says why")
            try:
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
    raise ConfigError(f"the daemon is not ready after {READY_SECONDS_MAX:.0f} s")


async def _text(url: str) -> str:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return await answer.text()


# ── hardware and traffic ────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class World:
    """What all hardware and people are built from."""

    broker: BrokerAddress
    shop: Shop
    ledger: Ledger
    clock: SystemClock
    rng: random.Random
    misread_rate: float

    @property
    def settings(self) -> BrokerSettings:
        return BrokerSettings(self.broker.host, self.broker.port_v5)


def _car_park(site: SiteFile, world: World) -> CarPark:
    facility, policy = site.site.facility, lane_policy(site.site.policy.stated(), {})
    lanes = {lane.slug: _hardware(site, lane, world) for lane in site.site.lane}
    slugs = {
        direction: [lane.slug for lane in site.site.lane if lane.direction is direction]
        for direction in Direction
    }
    (tariff,) = site.site.tariff
    amount = tariff.amount if isinstance(tariff, FlatTariff) else None
    return CarPark(
        slug=facility.slug,
        entries=[lanes[slug] for slug in slugs[Direction.ENTRY]],
        exits=[lanes[slug] for slug in slugs[Direction.EXIT]],
        pay_exits=[
            lanes[lane.slug]
            for lane in site.site.lane
            if lane.policy.unpaid_exit is UnpaidExit.WAIT
        ],
        people=People(
            facility.slug,
            facility.currency,
            broker=world.settings,
            ledger=world.ledger,
            clock=world.clock,
            rng=random.Random(world.rng.random()),
        ),
        shop=world.shop,
        registered=REGISTERED,
        blocked=BLOCKED,
        backout_seconds=policy.backout_seconds_max,
        loop_seconds=policy.read_seconds_max + policy.loop_seconds_max + 1.0,
        price=None if amount is None else Money(amount, facility.currency),
        lists_overstay="overstay" in site.site.parking.penalties.stated(),
    )


def _hardware(site: SiteFile, lane: Lane, world: World) -> Hardware:
    """The devices that the site file names for the lane."""
    shared = Shared(
        facility=site.site.facility.slug,
        lane=lane.slug,
        broker=world.settings,
        ledger=world.ledger,
        clock=world.clock,
        rng=random.Random(world.rng.random()),
        misread_rate=world.misread_rate,
    )
    topics = {device.family: device.topic for device in lane.device}
    if "axis" in topics:
        return AxisShellyHardware(shared, camera=topics["axis"], relay=topics["shelly"])
    (device,) = lane.device
    return NativeHardware(shared, switches="arm" in device.options.get("inputs", ()))


@asynccontextmanager
async def _sessions(parties: Sequence[Hardware | People]) -> AsyncIterator[None]:
    """All hardware and people connected; disconnected afterwards."""
    tasks = [asyncio.create_task(one.session.run(), name="demo/session") for one in parties]
    try:
        for one in parties:
            await one.linked()
        yield
    finally:
        await asyncio.gather(*(one.session.farewell() for one in parties))
        await asyncio.gather(*tasks)


async def _flow(traffics: Sequence[Traffic], seconds: float, running: RunningDaemon) -> None:
    """Traffic for so long, and then until nobody stands at a barrier any more.

    Raises ConfigError when the daemon ends before that.
    """

    async def all_streets() -> None:
        async with asyncio.TaskGroup() as streets:
            for traffic in traffics:
                streets.create_task(traffic.run())
            await asyncio.sleep(seconds)
            for traffic in traffics:
                traffic.close()

    streets = asyncio.create_task(all_streets(), name="demo/streets")
    ended = asyncio.create_task(running.ended(), name="demo/watch")
    try:
        await asyncio.wait({streets, ended}, return_when=asyncio.FIRST_COMPLETED)
        if not streets.done():
            raise ConfigError("the daemon ended in the middle of the demo; its log above says why")
        await streets
    finally:
        for task in (streets, ended):
            task.cancel()
        await asyncio.gather(streets, ended, return_exceptions=True)


async def _quiet(connection: Connection) -> None:
    """Until the database shows nothing under way; what still is then shows in the recount."""
    deadline = time.monotonic() + QUIET_SECONDS_MAX
    while time.monotonic() < deadline:
        if not await unfinished(connection):
            return
        await asyncio.sleep(0.1)
