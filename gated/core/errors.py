"""The exception tree. A denial is a value with a reason; an exception means "could not decide"."""


class GatedError(Exception):
    """The root of everything that gated raises on purpose."""


class ConfigError(GatedError):
    """Configuration or a site file is wrong: names the file, the key and what was expected.

    `place` is "file:line" or "file" where no line is known; `key` is the dotted key.
    The command line prints it as it is and exits with status 2.
    """

    def __init__(self, message: str, *, place: str = "", key: str = "") -> None:
        self.place = place
        self.key = key
        where = ": ".join(part for part in (place, key) if part)
        super().__init__(f"{where}: {message}" if where else message)


class CodecError(GatedError):
    """A payload cannot be understood: it goes to quarantine with this reason, never further.

    `reason` is a short stable word for the metric label (`not_json`, `too_large`, …);
    the message is for people and carries no more than an excerpt of the payload.
    """

    def __init__(self, reason: str, message: str) -> None:
        self.reason = reason
        super().__init__(message)


class RequestRefused(CodecError):
    """An operator's request cannot be understood; the `user` is told so, by the `request`'s id."""

    def __init__(self, refused: CodecError, user: str, request: str | int) -> None:
        self.user = user
        self.request = request
        super().__init__(refused.reason, str(refused))


class PaymentRefused(CodecError):
    """A terminal's payment cannot be understood; it is told so, by the id of its `message`."""

    def __init__(self, refused: CodecError, message: str | int) -> None:
        self.message = message
        super().__init__(refused.reason, str(refused))


class StoreError(GatedError):
    """The database could not answer. `retryable` says whether the same call may succeed later."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        self.retryable = retryable
        super().__init__(message)


class RefusedValue(StoreError):
    """The database will never take a value of this call: it alone is to blame, not the database."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


class NotSetUp(StoreError):
    """The database answers and is not (yet) what gated needs: an operator has to act.

    The message names the command that helps.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=False)


class SetupError(StoreError):
    """What the tables say of the facility called `slug` cannot be understood."""

    def __init__(self, slug: str, message: str) -> None:
        self.slug = slug
        super().__init__(f"facility {slug}, {message}", retryable=False)


class FencedOut(GatedError):
    """Another daemon owns this facility by now: stop acting for it at once."""


class DeliveryError(GatedError):
    """A message could not be handed to the broker.

    `uncertain` tells whether it may have arrived all the same: such a command is never sent again.
    """

    def __init__(self, message: str, *, uncertain: bool) -> None:
        self.uncertain = uncertain
        super().__init__(message)
