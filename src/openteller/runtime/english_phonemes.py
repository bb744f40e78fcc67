"""English words to phonemes: misaki's dictionaries for American English, and rules for what they lack.

The dictionaries (`us_gold.json`, checked by hand, and `us_silver.json`) are data files of the package misaki
(Apache-2.0), the ones with which Kokoro-82M was trained; its code for English asks for spaCy and is not imported.

What is not covered: words written alike and said differently (read, live) get the commoner reading, or the verb's after
to, will, can and the like; a sentence's stress.
"""

import json
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path

from openteller.core.errors import MissingDependency
from openteller.runtime.letter_sounds import VOWELS, by_rule, pinyin, spelled

_Entry = str | Mapping[str, str | None]
_SHORTEST_PART = 3  # letters of a compound's half
_VERB_AFTER = frozenset(
    re.findall(r"\S+", "to will would can could may must shall should please i you we they cannot don't")
)
_LETTER_BY_LETTER = frozenset(["APR", "APY", "CD", "IC", "ID", "IT", "PC", "QR", "TV", "UK", "US"])
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


class EnglishPhonemes:
    """Says English words.

    Args:
        dictionaries: word → phonemes, or part of speech → phonemes with DEFAULT; the better one first.
    """

    def __init__(self, dictionaries: Sequence[Mapping[str, _Entry]]) -> None:
        self._dictionaries = dictionaries

    def words(self, words: Sequence[str]) -> list[str]:
        """The phonemes of each word of a phrase; articles, to and in as their neighbours ask for."""
        said: list[str] = []
        for i in range(len(words) - 1, -1, -1):
            verb = i > 0 and words[i - 1].lower() in _VERB_AFTER
            said.append(self._weak(words, i, said[-1] if said else None) or self.word(words[i], verb=verb))
        return said[::-1]

    def _weak(self, words: Sequence[str], i: int, following: str | None) -> str | None:
        if following is None:
            return None
        vowel = following.lstrip("ˈˌ")[:1] in VOWELS
        match words[i]:
            case "the" | "The":
                return "ði" if vowel else "ðə"
            case "to" | "To":
                return "tʊ" if vowel else "tə"
            case "a":
                return "ɐ"
            case "A" if i == 0 and words[1].islower():
                return "ɐ"
            case "an" | "An":
                return "ɐn"
            case "am":
                return "ɐm"
        return None

    def word(self, word: str, *, verb: bool = False) -> str:
        """The phonemes of one word of Latin letters and apostrophes; empty for none."""
        return (
            self._letters_of(word)
            or self._known(word, verb)
            or self._inflected(word, verb)
            or self._initialism(word)
            or self._joined(word)
            or pinyin(word)
            or self._compound(word)
            or by_rule(word)
        )

    def _known(self, word: str, verb: bool = False) -> str | None:
        for dictionary in self._dictionaries:
            for form in dict.fromkeys((word, word.lower(), word.capitalize())):
                if (entry := dictionary.get(form)) is not None:
                    return _reading(entry, verb)
        return None

    def _letters_of(self, word: str) -> str | None:
        return self._spell(word) if len(word) == 1 or word in _LETTER_BY_LETTER else None

    def _initialism(self, word: str) -> str | None:
        found = re.fullmatch(r"([A-Z]{2,6})((?:e?s)?)", word)
        if not found:
            return None
        said = self._spell(found[1])
        return _with_s(said) if found[2] else said

    def _spell(self, word: str) -> str:
        return spelled([self._known(letter.upper()) or "" for letter in word if letter.isalpha()])

    def _inflected(self, word: str, verb: bool) -> str | None:
        lower = word.lower()
        if lower.endswith("'s"):
            return _with_s(self.word(word[:-2], verb=verb))
        if lower.endswith("s'"):
            return self.word(word[:-1], verb=verb)
        if lower.endswith("s") and not lower.endswith("ss"):
            stem = self._stem(word, 1, ("", "-e", "y-ie"), verb)
            return stem and _with_s(stem)
        if lower.endswith("ed"):
            stem = self._stem(word, 2, ("", "e", "double", "y-i"), verb)
            return stem and _with_ed(stem)
        if lower.endswith("ing"):
            stem = self._stem(word, 3, ("", "e", "double"), verb)
            return stem and _flapped(stem) + "ɪŋ"
        return None

    def _stem(self, word: str, ending: int, ways: Sequence[str], verb: bool) -> str | None:
        """What is left without the ending, with the spelling that it had before: plan(n)ed, car(r)y-ied, mak(e)ing."""
        rest = word[:-ending]
        forms = {
            "": rest,
            "e": rest + "e",
            "-e": rest[:-1] if rest.endswith("e") else "",
            "y-ie": rest[:-2] + "y" if rest.endswith("ie") else "",
            "y-i": rest[:-1] + "y" if rest.endswith("i") else "",
            "double": rest[:-1] if re.search(r"([^aeiou])\1$", rest) else "",
        }
        stems = (forms[way] for way in ways if len(forms[way]) > 1)
        return next((said for stem in stems if (said := self._known(stem, verb))), None)

    def _joined(self, word: str) -> str | None:
        parts = _CAMEL.split(word)
        return "".join(map(self.word, parts)) if len(parts) > 1 else None

    def _compound(self, word: str) -> str | None:
        """Two known words written as one (Pinebay); the longer the first, the likelier."""
        for cut in range(len(word) - _SHORTEST_PART, _SHORTEST_PART - 1, -1):
            first, second = self._known(word[:cut].lower()), self._known(word[cut:].lower())
            if first and second:
                return first + second.replace("ˈ", "ˌ")
        return None


def _reading(entry: _Entry, verb: bool) -> str | None:
    if isinstance(entry, str):
        return entry
    return (verb and (entry.get("VERB") or entry.get("VBP"))) or entry["DEFAULT"]


def _with_s(said: str) -> str:
    if said[-1:] in tuple("szʃʒʧʤ"):
        return said + "ᵻz"
    return said + ("s" if said[-1:] in tuple("ptkfθ") else "z")


def _with_ed(said: str) -> str:
    if said[-1:] in tuple("td"):
        return _flapped(said) + "ᵻd"
    return said + ("t" if said[-1:] in tuple("pkfθʃsʧ") else "d")


def _flapped(said: str) -> str:
    """A t between vowels, as Americans say it."""
    return said[:-1] + "ɾ" if len(said) > 1 and said[-1] == "t" and said[-2] in VOWELS + "ɹ" else said


def open_english() -> EnglishPhonemes:
    """The dictionaries of the installed package. Raises MissingDependency."""
    try:
        package = metadata.distribution("misaki")
    except metadata.PackageNotFoundError as error:
        raise MissingDependency(
            "Speech needs the package misaki.", next_step="pip install 'openteller[voice]'"
        ) from error
    files = [Path(str(package.locate_file(f"misaki/data/us_{grade}.json"))) for grade in ("gold", "silver")]
    return EnglishPhonemes([json.loads(file.read_text("utf-8")) for file in files])
