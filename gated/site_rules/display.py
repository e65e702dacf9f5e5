"""Displays: texts of one's own are for words that there are, fit on the display, and serve its
language. A file of texts is read with the site file, and complained about in the same round.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gated.core.errors import ConfigError
from gated.core.wording import BUILT_IN, WORDS, faults
from gated.site import Display, Site, TextsFile
from gated.toml import Document, KeyPath, load
from gated.validation import excerpt, heard, known, read, suggestion

Texts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FileOfTexts:
    """What a display's file of texts says, and what is wrong with it in places of its own.

    `missing` is why there is none, in the words of the site file's key.
    """

    texts: Texts
    complaints: tuple[ConfigError, ...] = ()
    missing: str = ""


def texts_of(document: Document, site: Site) -> FileOfTexts:
    """The file of texts that a site file names, by its place beside it; an empty one for none."""
    shows = known(site, "display")
    name = None if shows is None else known(shows, "texts_file")
    if name is None:
        return FileOfTexts({})
    try:
        file = load(Path(document.name).parent / name)
    except ConfigError as error:
        return FileOfTexts({}, missing=str(error))
    found, complaints = read(file, TextsFile)
    texts: Texts = known(found, "texts") or {}
    return FileOfTexts(texts, (*complaints, *_texts(file, ("texts",), texts)))


def display(document: Document, site: Site, file: FileOfTexts) -> Iterator[ConfigError]:
    """What is wrong with the site file's own part."""
    shows = known(site, "display")
    if shows is None:
        return
    if file.missing:
        yield document.error(("display", "texts_file"), file.missing)
    yield from heard(
        _texts(document, ("display", "texts"), known(shows, "texts") or {}),
        _language(document, shows, file),
    )


def merged(shows: Display, file: FileOfTexts) -> Display:
    """The display with all its texts in it: what the site file says counts before its file."""
    languages = {**file.texts, **shows.texts}
    texts = {each: {**file.texts.get(each, {}), **shows.texts.get(each, {})} for each in languages}
    return shows.model_copy(update={"texts_file": None, "texts": texts})


def _language(document: Document, shows: Display, file: FileOfTexts) -> Iterator[ConfigError]:
    """There are texts in the language, or in the one of which it is a kind."""
    there = {*BUILT_IN, *file.texts, *shows.texts}
    unsure = file.missing or file.complaints
    if not unsure and not {shows.language, shows.language.partition("-")[0]} & there:
        yield document.error(
            ("display", "language"),
            f'no texts in this language: "{shows.language}",'
            f" {suggestion(shows.language, sorted(there))}",
        )


def _texts(document: Document, path: KeyPath, texts: Texts) -> Iterator[ConfigError]:
    for language, own in texts.items():
        # What stands here for an unsound table is none.
        for word, text in own.items() if isinstance(own, Mapping) else ():
            place = (*path, language, word)
            if word not in WORDS:
                yield document.error(place, f"no such reason: {suggestion(word, WORDS)}")
            elif not isinstance(text, str):
                yield document.error(place, f"expected a string, got {excerpt(text)}")
            else:
                yield from (document.error(place, fault) for fault in faults(word, text))
