"""Several complaints as one error."""

from collections.abc import Iterable, Sequence

from gated.core.errors import ConfigError


class ConfigErrors(ConfigError):
    """Several complaints at once: one line each, in the order of the file."""

    def __init__(self, errors: Sequence[ConfigError]) -> None:
        super().__init__("\n".join(str(error) for error in errors))
        self.errors = tuple(errors)
        self.place = errors[0].place
        self.key = errors[0].key


def refuse(errors: Sequence[ConfigError]) -> None:
    """Raise what there is to raise: nothing, the one error, or all of them as ConfigErrors."""
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ConfigErrors(errors)


def in_order(errors: Iterable[ConfigError]) -> list[ConfigError]:
    """Complaints in the order of the file, none of them twice: two of a line may read the same."""

    def line(error: ConfigError) -> int:
        number = error.place.rpartition(":")[2]
        return int(number) if number.isdecimal() else 0

    return sorted({str(error): error for error in errors}.values(), key=line)
