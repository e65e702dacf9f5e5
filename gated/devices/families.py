"""The device families that gated speaks. A new one is its codec's module and a line here."""

from collections.abc import Mapping
from difflib import get_close_matches
from types import MappingProxyType

from gated.core.errors import ConfigError
from gated.devices.axis import AxisCodec
from gated.devices.codec import PAYLOAD_BYTES_MAX, escaped
from gated.devices.native import NativeCodec
from gated.devices.shelly import ShellyCodec
from gated.ports import Codec


def families(payload_bytes_max: int = PAYLOAD_BYTES_MAX) -> Mapping[str, Codec]:
    """One codec per family, by name. Larger payloads are refused before they are parsed."""
    codecs: tuple[Codec, ...] = (
        NativeCodec(payload_bytes_max),
        AxisCodec(payload_bytes_max),
        ShellyCodec(payload_bytes_max),
    )
    return MappingProxyType({codec.family: codec for codec in codecs})


CODECS: Mapping[str, Codec] = families()


def codec_for(family: str, codecs: Mapping[str, Codec] = CODECS) -> Codec:
    """The family's codec. Raises ConfigError that lists the known ones."""
    codec = codecs.get(family)
    if codec is not None:
        return codec
    near = get_close_matches(family.lower(), codecs, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    raise ConfigError(
        f"no device family '{escaped(family)}'{hint}, expected one of: {', '.join(codecs)}",
        key="family",
    )
