"""The registry of the families."""

from dataclasses import replace

import pytest

from gated.core.effects import Do
from gated.core.errors import ConfigError
from gated.core.site import DeviceSetup
from gated.devices.families import CODECS, codec_for
from tests.codecs.support import axis, native, shelly


def test_each_family_stands_under_its_own_name() -> None:
    assert sorted(CODECS) == ["axis", "native", "shelly"]
    for name, codec in CODECS.items():
        assert codec.family == name
        assert codec_for(name) is codec
        assert codec.does <= set(Do)


@pytest.mark.parametrize(
    ("family", "hint"), [("shely", "shelly"), ("AXIS", "axis"), ("Nativ", "native")]
)
def test_a_misspelt_family_is_guessed(family: str, hint: str) -> None:
    with pytest.raises(ConfigError, match=f"did you mean {hint}") as caught:
        codec_for(family)
    assert "native, axis, shelly" in str(caught.value)


def test_an_unknown_family_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="expected one of: native, axis, shelly") as caught:
        codec_for("modbus\x1b[0m")
    assert "did you mean" not in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("options", [[1], [], "x", None, 7])
@pytest.mark.parametrize("device", [native(), axis(), shelly()], ids=lambda device: device.family)
def test_options_that_are_no_object_are_refused_by_name(
    device: DeviceSetup, options: object
) -> None:
    """As a hand that wrote to the database may have left them."""
    odd = replace(device, options=options)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="options: expected an object, got"):
        codec_for(device.family).check(odd)


def test_nobody_adds_a_family_at_run_time() -> None:
    with pytest.raises(TypeError):
        CODECS["other"] = CODECS["native"]  # type: ignore[index]
