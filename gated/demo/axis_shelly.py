"""Simulated lanes of devices as they are bought: an Axis camera and a Shelly relay."""

import json
from datetime import datetime
from typing import Any

from gated.demo.hardware import Hardware, Shared
from gated.records import Publication


class AxisShellyHardware(Hardware):
    """An Axis camera with License Plate Verifier, and a Shelly relay whose inputs are the loops."""

    def __init__(self, shared: Shared, *, camera: str, relay: str) -> None:
        self._camera = camera
        self._relay = relay
        super().__init__(shared)
        self._car = self._rng.randrange(1000, 9000)
        self._vehicle = ""

    @property
    def command_topic(self) -> str:
        return f"{self._relay}/rpc"

    def online(self, *, present: bool) -> Publication:
        return Publication(f"{self._relay}/online", json.dumps(present).encode(), retain=True)

    async def see(self, text: str, vehicle: str) -> None:
        # The camera sees the vehicle, then knows which way it moves, and loses it in the end.
        if vehicle != self._vehicle:
            self._vehicle = vehicle
            self._car += 1
        first = self._clock.now()
        await self.send(self._plate_event(text, "new", "unknown", first))
        await self.send(self._plate_event(text, "update", "in", self._clock.now()))

    async def see_no_plate(self, vehicle: str) -> None:
        # It tells of plates alone.
        self._vehicle = vehicle

    async def tell_loop(self, name: str, *, on: bool) -> None:
        number = {"presence": 0, "closing": 1}[name]
        await self._notify({f"input:{number}": {"id": number, "state": on}})

    def obey(self, payload: dict[str, Any]) -> None:
        self.raised(payload["id"], None, None)
        reply = {
            "id": payload["id"],
            "src": self._relay,
            "dst": payload["src"],
            "result": {"was_on": False},
        }
        self.spawn([Publication(f"{payload['src']}/rpc", json.dumps(reply).encode())])

    async def _notify(self, status: dict[str, object]) -> None:
        body = {
            "src": self._relay,
            "dst": f"{self._relay}/events",
            "method": "NotifyStatus",
            "params": {"ts": self._clock.now().timestamp(), **status},
        }
        await self.send(Publication(f"{self._relay}/events/rpc", json.dumps(body).encode()))

    def _plate_event(self, plate: str, car_state: str, moves: str, at: datetime) -> Publication:
        milliseconds = int(at.timestamp() * 1000)
        topic = "tns:axis/CameraApplicationPlatform/ALPV.AllPlates"
        body = {
            "topic": "axis:CameraApplicationPlatform/ALPV.AllPlates",
            "timestamp": milliseconds,
            "message": {
                "source": {},
                "key": {},
                "data": {
                    "text": f"{plate[:2]} {plate[2:]}",
                    "carID": str(self._car),
                    "carState": car_state,
                    "carMoveDirection": moves,
                    "capture_timestamp": str(milliseconds),
                    "country": "DEU",
                },
            },
        }
        return Publication(f"{self._camera}/event/{topic}", json.dumps(body).encode())
