"""Number plates: normal form, comparison form of what cameras send, and masking for logs.

The SQL function `gate.plate_normal_v1` does the same to what the web shop stores;
a test holds the two equal.
"""

import unicodedata
from dataclasses import dataclass

from gated.core.errors import CodecError

PLATE_LENGTH_MAX = 16
RAW_LENGTH_MAX = 64

# What cameras say when they saw a vehicle but no plate (Dahua, Hikvision, AxxonSoft, Milesight).
UNREAD = frozenset(
    {"", "-", "--", "UNKNOWN", "UNLICENSED", "NOT DEFINED", "NULL", "NONE", "NO PLATE", "NOPLATE"}
)

# Letters of other scripts that share their shape with a Latin one: cameras with a Cyrillic or
# Greek engine send them for the same plate. Escaped, since nobody could tell them apart here.
_CYRILLIC = (
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
)
_GREEK = "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
HOMOGLYPHS_FROM = _CYRILLIC + _GREEK
HOMOGLYPHS_TO = "ABESIJKMHOPCTYX" + "ABEZHIKMNOPTYX"

# Space, tab, hyphen, en dash, em dash, underscore, full stop, middle dot, bullet, colon, slash,
# bar, both apostrophes: what stands between the groups of a plate and means nothing.
SEPARATORS = " \t-\u2013\u2014_.\u00b7\u2022:/|'\u2019"

_FOLD = str.maketrans(HOMOGLYPHS_FROM, HOMOGLYPHS_TO, SEPARATORS)
_UNREAD_FOLDED = frozenset(words.translate(_FOLD) for words in UNREAD)


@dataclass(frozen=True, slots=True, order=True)
class Plate:
    """A number plate in normal form: upper case, no separators, homoglyphs folded to Latin."""

    text: str

    def __str__(self) -> str:
        return self.text

    @property
    def masked(self) -> str:
        """What a log may show: the first and the last two characters, e.g. `HH****34`."""
        if len(self.text) <= 4:
            return self.text[:1] + "*" * (len(self.text) - 1)
        return f"{self.text[:2]}{'*' * (len(self.text) - 4)}{self.text[-2:]}"


def normalise(raw: str) -> Plate | None:
    """The plate that a device's text stands for; None where the text says "no plate read".

    Raises `CodecError("bad_plate")` for text that no plate can be: control or format
    characters, more than 64 characters, more than 16 after folding, or a sign that is neither
    letter, digit nor separator. What it answers is its own normal form.
    """
    if len(raw) > RAW_LENGTH_MAX:
        raise CodecError("bad_plate", f"a plate of {len(raw)} characters, at most {RAW_LENGTH_MAX}")
    if any(unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} for character in raw):
        raise CodecError("bad_plate", "a plate with control characters")
    text = folded(raw)
    if text in _UNREAD_FOLDED:  # also "no_plate", "Not-defined": engines write them in many ways
        return None
    if len(text) > PLATE_LENGTH_MAX:
        raise CodecError(
            "bad_plate", f"a plate of {len(text)} characters, at most {PLATE_LENGTH_MAX}"
        )
    if not all(character.isalnum() for character in text):
        raise CodecError("bad_plate", "a plate with characters that are neither letters nor digits")
    return Plate(text)


def folded(raw: str) -> str:
    """The text in the form in which plates are compared, whatever it may be: not judged."""
    return unicodedata.normalize("NFKC", raw).upper().strip().translate(_FOLD)
