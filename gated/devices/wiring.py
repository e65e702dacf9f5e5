"""Which contact of a device is which input of its lane, and with which polarity."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from gated.core.events import InputName


class Contact(BaseModel):
    """One contact by the number that the device's messages give it.

    `inverted`: a loop detector that opens its contact for a vehicle, so that a cut wire reads
    as occupied.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    number: int = Field(ge=0, le=255, validation_alias=AliasChoices("id", "port"))
    inverted: bool = False


def _short(value: object) -> object:
    return value if isinstance(value, Mapping | Contact) else {"id": value}


def _apart(inputs: dict[InputName, Contact]) -> dict[InputName, Contact]:
    numbers = [contact.number for contact in inputs.values()]
    if len(set(numbers)) < len(numbers):
        raise PydanticCustomError("bad_value", "expected a contact of its own for each input")
    return inputs


# In options: `{ presence = 0, closing = { id = 1, inverted = true } }`. The names come as plain
# strings from TOML and JSON, which strict mode would not take for the enumeration.
Wiring = Annotated[
    dict[Annotated[InputName, Field(strict=False)], Annotated[Contact, BeforeValidator(_short)]],
    AfterValidator(_apart),
]
