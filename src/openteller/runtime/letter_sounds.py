"""How an English word that no dictionary holds is read: as pinyin, as letters' names, or by rules from letters to sounds.

Symbols are misaki's for American English, as Kokoro-82M was trained on them: A I O W Y are the diphthongs of day, my, go,
how, boy; a stress mark stands right before its vowel. The rules are the regular ones of primers, far fewer than English
has: a name comes out so that a listener knows which one is meant, not as its bearer says it. Knows no dictionary.
"""

import re

VOWELS = "AIOWYaiuæɑəɛɜɪɔʊʌᵊᵻɐ"
_INITIALS = {
    "zh": "ʤ", "ch": "ʧ", "sh": "ʃ", "b": "b", "p": "p", "m": "m", "f": "f", "d": "d", "t": "t", "n": "n", "l": "l",
    "g": "ɡ", "k": "k", "h": "h", "j": "ʤ", "q": "ʧ", "x": "ʃ", "r": "ɹ", "z": "dz", "c": "ts", "s": "s", "y": "j",
    "w": "w",
}  # fmt: skip
_FINALS = {
    "iang": "jɑŋ", "iong": "jʊŋ", "uang": "wɑŋ", "ang": "ɑŋ", "eng": "ʌŋ", "ing": "ɪŋ", "ong": "ʊŋ", "ian": "jɛn",
    "iao": "jW", "uai": "wI", "uan": "wɑn", "ai": "I", "an": "ɑn", "ao": "W", "ei": "A", "en": "ən", "er": "ɑɹ",
    "ia": "jɑ", "ie": "jɛ", "in": "ɪn", "iu": "jO", "ou": "O", "ua": "wɑ", "ue": "wɛ", "ui": "wA", "un": "ʊn",
    "uo": "wɔ", "a": "ɑ", "e": "ʌ", "i": "i", "o": "O", "u": "u", "v": "u",
}  # fmt: skip
_AFTER_Y = {"jan": "jɛn", "ji": "i", "jɪn": "ɪn", "jɪŋ": "ɪŋ", "ju": "ju", "wu": "wu"}
_SYLLABLE = re.compile(f"({'|'.join(_INITIALS)})?({'|'.join(_FINALS)})")
_RULES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), sound)
    for pattern, sound in (
        (r"tion", "ʃən"), (r"sion", "ʒən"), (r"cial|tial", "ʃəl"), (r"ture$", "ʧəɹ"), (r"ous$", "əs"),
        (r"ough", "O"), (r"augh", "ɔ"), (r"eigh", "A"), (r"igh", "I"), (r"tch", "ʧ"), (r"dge", "ʤ"), (r"sch", "sk"),
        (r"ch", "ʧ"), (r"ck", "k"), (r"ph", "f"), (r"sh", "ʃ"), (r"th", "θ"), (r"wh", "w"), (r"(?<!.)wr", "ɹ"),
        (r"(?<!.)[kg]n", "n"), (r"(?<!.)ps", "s"), (r"(?<!.)x", "z"), (r"mb$", "m"), (r"qu", "kw"), (r"gh", "ɡ"),
        (r"ng(?![aeiouy])", "ŋ"), (r"n(?=[kx])", "ŋ"), (r"x", "ks"), (r"c(?=[eiy])", "s"), (r"c|q", "k"),
        (r"g(?=[eiy])", "ʤ"), (r"g", "ɡ"), (r"j", "ʤ"), (r"(?<!.)y|(?<=[aeiou])y(?=[aeiou])", "j"),
        (r"(?<=[aeiou])s(?=[aeiou])", "z"), (r"r", "ɹ"),
        (r"ee|ea|ie$|ey$", "i"), (r"oo|ew|ue$|ui", "u"), (r"ai|ay|ei|ey", "A"), (r"oa|oe|ow$", "O"), (r"ow|ou", "W"),
        (r"oi|oy", "Y"), (r"au|aw", "ɔ"), (r"ie", "i"), (r"ar(?!e)", "ɑɹ"), (r"or(?!e$)", "ɔɹ"),
        (r"er$|or$", "əɹ"), (r"(?:er|ir|ur)(?![aeiouy])", "ɜɹ"), (r"(?<=[bcdfgkptz])le$", "ᵊl"),
        (r"a(?=[bcdfgklmnprstvz]e$)", "A"), (r"i(?=[bcdfgklmnprstvz]e$)", "I"), (r"o(?=[bcdfgklmnprstvz]e$)", "O"),
        (r"u(?=[bcdfgklmnprstvz]e$)", "u"), (r"(?<=.)e$", ""), (r"(?<=[^aeiou])y$", "i"), (r"a$", "ə"), (r"o$", "O"),
        (r"i$", "i"), (r"u$", "u"), (r"o(?=[bcdfgklmnprstvz][aeiouy])", "O"), (r"a", "æ"), (r"e", "ɛ"), (r"[iy]", "ɪ"),
        (r"o", "ɑ"), (r"u", "ʌ"), (r"([bdfhklmnpstvwz])", r"\1"),
    )
)  # fmt: skip


def pinyin(word: str) -> str | None:
    """A name written in pinyin without tones (Songwan), as an English speaker says it; None when it is no pinyin.

    One syllable alone is taken for English, as most of them are.
    """
    syllables = _syllables(word.lower())
    if syllables is None or len(syllables) < 2:
        return None
    *before, last = [_spoken(initial, final) for initial, final in syllables]
    return "".join(stressed(part, "ˌ") for part in before) + stressed(last, "ˈ")


def _syllables(rest: str) -> list[tuple[str, str]] | None:
    if not rest:
        return []
    for length in range(min(6, len(rest)), 0, -1):
        found = _SYLLABLE.fullmatch(rest[:length])
        if found and (after := _syllables(rest[length:])) is not None:
            return [(found[1] or "", found[2]), *after]
    return None


def _spoken(initial: str, final: str) -> str:
    sound = _FINALS[final]
    if not initial:
        return sound
    if initial in ("y", "w"):
        return _AFTER_Y.get(_INITIALS[initial] + sound, _INITIALS[initial] + sound)
    return _INITIALS[initial] + sound


def spelled(names: list[str]) -> str:
    """Letters' names one after another, the last one stressed: how an initialism is said."""
    plain = ["".join(c for c in name if c not in "ˈˌ") for name in names]
    return "".join([*(stressed(name, "ˌ") for name in plain[:-1]), *(stressed(name, "ˈ") for name in plain[-1:])])


def by_rule(word: str) -> str:
    """The sounds of a word of plain Latin letters, in any case; letters without a rule are left out."""
    rest, at, sounds = re.sub(r"([bcdfgklmnprstvz])\1", r"\1", word.lower()), 0, []
    while at < len(rest):
        for pattern, sound in _RULES:
            if found := pattern.match(rest, at):
                sounds.append(found.expand(sound))
                at = found.end()
                break
        else:
            at += 1
    return stressed("".join(sounds), "ˈ", syllable=-3)


def stressed(sounds: str, mark: str, syllable: int = 0) -> str:
    """`sounds` with a stress mark before the vowel numbered `syllable`, or before the first when there are not so many."""
    vowels = [i for i, c in enumerate(sounds) if c in VOWELS]
    if not vowels:
        return sounds
    at = vowels[syllable] if -len(vowels) <= syllable < len(vowels) else vowels[0]
    return sounds[:at] + mark + sounds[at:]
