"""The bank's own words put back where a recogniser wrote others that sound alike: 帐户 → 账户, 李彩 → 理财, 挂是 → 挂失.

A window of Chinese text is compared with each word in toneless pinyin; near sounds (zh/z, ch/c, sh/s, n/l, f/h, ang/an,
eng/en, ing/in) count in words of three characters and more. Confidence is a sum that a person can check: `_EXACT` and more
for tones and length, less for near sounds, for an ordinary word, for a cut through one and for function words, more for a bank
word beside it. An ordinary word that is heard for a bank word again and again (娱乐 for 余额) has a row in `MISHEARD` and is
replaced only beside such a word. Words that only stand somewhere in the bank's documents replace what sounds exactly so and is
nothing else (攻击金 → 公积金). English names that are no dictionary word are compared by their
consonants. Digits are never touched.
Knows nothing about recognisers. Not covered: dropped or added syllables, Chinese names of one character.
"""

import json
import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib.resources import files
from itertools import accumulate, pairwise
from typing import NamedTuple, cast

from openteller.core.errors import MissingDependency
from openteller.core.segmenting import segmenter
from openteller.voice.bank_words import Written

MISHEARD: dict[str, tuple[str, ...]] = {
    "余额": ("娱乐", "鱼乐"),
    "额度": ("恶毒",),
}
"""What recognisers write for a word of the bank although it sounds otherwise or is a word of its own. A bank adds what it hears."""
_BESIDE = """
查询 查一下 查查 查 我的 账户 帐户 卡里 卡上 卡的 银行卡 信用卡 储蓄卡 手机银行 剩余 可用 当前 办理 办 申请 购买 买 开通 调整 提高 还款
存款 最近的 附近的 我要 想要 怎么 银行 提升 临时 账号
"""
BESIDE = tuple(_BESIDE.split())
"""Words that, right before or after, say that a bank word is meant."""
_NOT_BEFORE = """
消费 场 圈 节目 活动 支出 城 设施 新闻 产业 行业 项目 公司 生活 一下 时间 至上 八卦 意见 很大 收益 结婚 了
"""
NOT_BEFORE = tuple(_NOT_BEFORE.split())
"""What after an ordinary word shows that it is meant as itself."""
_FUNCTION = frozenset("一与起及或等每的了是在里才就都也和不这那有我你他她它吗呢吧把被给到上下去来能要想还很")
_VARIANTS = str.maketrans("帐佘挂仿囯証", "账余挂访国证")
_EXACT, _TONES, _NEAR, _LENGTH = 0.75, 0.10, 0.10, 0.05
_ORDINARY_COST, _CUT_COST, _FUNCTION_COST, _BESIDE_GAIN = 0.40, 0.45, 0.20, 0.25
_ORDINARY_FREQUENCY = 5
_SURE = 0.70
_NOTHING = Written()
_HAN_RUN = re.compile("[㐀-䶿一-鿿]{2,}")
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("l", "n"), ("f", "h"))


@dataclass(frozen=True)
class Change:
    """One replacement; `start` and `end` are offsets in the text that was given, `confidence` is 0–1."""

    before: str
    after: str
    start: int
    end: int
    confidence: float


@dataclass(frozen=True)
class Corrected:
    """The corrected text and its changes in reading order."""

    text: str
    changes: tuple[Change, ...] = ()


class _Word(NamedTuple):
    text: str
    syllables: tuple[str, ...]
    tones: tuple[str, ...]


class Hotwords:
    """The bank's own words: products, branches, people, terms. Words of other scripts than Han and Latin are ignored.

    Args:
        words: names and terms; of "松湾定期宝 R2" the Han part counts, of "Pinebay Gold Card" the name that is no usual word.
        written: what the bank writes: its words replace only what sounds exactly so, tones and all, stands nowhere in it, and
            is made of no ordinary words.
    """

    def __init__(self, words: Iterable[str], written: Written = _NOTHING) -> None:
        words = list(words)
        parts = {part for word in words for part in _HAN_RUN.findall(word)}
        self._known = frozenset(parts)
        self._by_sound: dict[tuple[str, ...], list[_Word]] = defaultdict(list)
        for part in sorted(parts):
            word = _Word(part, *_pinyin(part))
            self._by_sound[_near(word.syllables)].append(word)
        self._written, self._as_said = written.text, defaultdict[tuple[tuple[str, ...], ...], list[_Word]](list)
        for part in sorted(written.words - parts):
            word = _Word(part, *_pinyin(part))
            self._as_said[word.syllables, word.tones].append(word)
        self._lengths = sorted({len(part) for part in parts | written.words}, reverse=True)
        names = {name for word in words for name in re.findall(r"[A-Za-z]{5,}", word)}
        self._names = sorted(name for name in names if not _ordinary_english(name))

    def correct(self, text: str, language: str) -> Corrected:
        """`text` with what sounds like a word of the bank written as that word; what already is one stays.

        Args:
            text: a recogniser's text.
            language: zh: Chinese words are corrected, Latin names too; en: Latin names only.

        Raises:
            MissingDependency: Chinese text without the voice extra installed.
        """
        found = list(self._english(text))
        if language == "zh" and self._lengths:
            for run in _HAN_RUN.finditer(text):
                found += self._chinese(run.group(), run.start())
        changes = _apart(found)
        corrected, last = "", 0
        for change in changes:
            corrected += text[last : change.start] + change.after
            last = change.end
        return Corrected(corrected + text[last:], changes)

    def _chinese(self, run: str, offset: int) -> Iterator[Change]:
        syllables, tones = _pinyin(run)
        sounds = _near(syllables)
        ends = list(accumulate(map(len, segmenter().cut(run, HMM=False))))
        taken = self._places_of_known(run)
        for length in self._lengths:
            for start in range(len(run) - length + 1):
                end = start + length
                kept = [(a, b) for a, b in taken if a < end and start < b]
                window = _Window(run, start, end, syllables[start:end], tones[start:end], tuple(ends), self._known)
                for word in self._by_sound.get(sounds[start:end], ()):
                    right = all(start <= a and word.text[a - start : b - start] == run[a:b] for a, b in kept)
                    if right and word.text != window.heard and (confidence := window.confidence(word)) >= _SURE:
                        yield Change(window.heard, word.text, offset + start, offset + end, confidence)
                if not kept:
                    yield from self._misheard(window, offset)
                    yield from self._as_written(window, offset)

    def _as_written(self, window: "_Window", offset: int) -> Iterator[Change]:
        words = self._as_said.get((window.syllables, window.tones), ())
        if len(words) == 1 and window.heard not in self._written:
            confidence = window.confidence(words[0], alone=True)
            if confidence >= _SURE:
                yield Change(window.heard, words[0].text, offset + window.start, offset + window.end, confidence)

    def _misheard(self, window: "_Window", offset: int) -> Iterator[Change]:
        for meant, heard in MISHEARD.items():
            if meant in self._known and window.heard in heard and window.beside_a_bank_word():
                yield Change(window.heard, meant, offset + window.start, offset + window.end, _EXACT)

    def _places_of_known(self, run: str) -> list[tuple[int, int]]:
        return [match.span() for word in self._known for match in re.finditer(word, run)]

    def _english(self, text: str) -> Iterator[Change]:
        words = list(re.finditer(r"[A-Za-z]+(?:'[a-z]+)?", text))
        for name in self._names:
            for size in (1, 2, 3):
                for first in range(len(words) - size + 1):
                    span = words[first : first + size]
                    joined = all(text[a.end() : b.start()] in (" ", "-") for a, b in pairwise(span))
                    if not joined or any(word.group().lower() == name.lower() for word in span):
                        continue
                    heard = text[span[0].start() : span[-1].end()]
                    if heard != name and (confidence := _alike(heard, name)) >= _SURE:
                        yield Change(heard, name, span[0].start(), span[-1].end(), confidence)


class _Window(NamedTuple):
    """A stretch of a run of Chinese characters, as heard, with what stands around it."""

    run: str
    start: int
    end: int
    syllables: tuple[str, ...]
    tones: tuple[str, ...]
    token_ends: tuple[int, ...]
    known: frozenset[str]

    @property
    def heard(self) -> str:
        return self.run[self.start : self.end]

    def confidence(self, word: _Word, *, alone: bool = False) -> float:
        """How likely `word` was said here, 0–0.99; see the module's docstring for the sum. alone: whatever stands beside it."""
        size = len(word.text)
        if self.heard.translate(_VARIANTS) == word.text:
            return 0.99
        near = sum(a != b for a, b in zip(self.syllables, word.syllables, strict=True))
        if near > (0 if size == 2 else size // 2):
            return 0.0
        tones = sum(a == b for a, b in zip(self.tones, word.tones, strict=True)) / size
        small = sum(a in _FUNCTION and a != b for a, b in zip(self.heard, word.text, strict=True))
        value = _EXACT + _TONES * tones - _NEAR * near + _LENGTH * (min(size, 5) - 2) - _FUNCTION_COST * small
        value -= _CUT_COST * self._cuts() + _ORDINARY_COST * self._ordinary()
        value += _BESIDE_GAIN * (not alone and self.beside_a_bank_word())
        return round(max(0.0, min(value, 0.99)), 2)

    def beside_a_bank_word(self) -> bool:
        """Whether a word of `BESIDE` or of the bank stands right before or after, and nothing of `NOT_BEFORE` after."""
        before, after = self.run[: self.start].removesuffix("的"), self.run[self.end :]
        if after.startswith(NOT_BEFORE):
            return False
        cues = (*BESIDE, *self.known)
        return (
            self.run[: self.start].endswith(cues) or before.endswith(cues) or after.removeprefix("的").startswith(cues)
        )

    def _cuts(self) -> bool:
        """Whether an edge of the window falls inside a word."""
        return any(edge not in (0, *self.token_ends) for edge in (self.start, self.end))

    def _ordinary(self) -> bool:
        """Whether the window is made of ordinary words of two characters and more."""
        first, last = (bisect_right(self.token_ends, edge) for edge in (self.start, self.end - 1))
        edges = (0, *self.token_ends)
        tokens = [self.run[edges[i] : edges[i + 1]] for i in range(first, last + 1)]
        return all(len(token) > 1 and segmenter().FREQ.get(token, 0) >= _ORDINARY_FREQUENCY for token in tokens)


def hotwords_for_prompt(words: Iterable[str], language: str, limit: int = 150) -> tuple[str, ...]:
    """The words to hand a recogniser as context: those of `language`, first come first, at most `limit` characters in all.

    Args:
        words: the bank's words, the likeliest first.
        language: zh (words with Han characters) or en (words without).
        limit: characters, a separator after each word counted.
    """
    chosen: list[str] = []
    for word in dict.fromkeys(word.strip() for word in words):
        han = bool(re.search("[㐀-䶿一-鿿]", word))
        if word and han == (language == "zh") and sum(len(c) + 1 for c in chosen) + len(word) + 1 <= limit:
            chosen.append(word)
    return tuple(chosen)


def _apart(found: list[Change]) -> tuple[Change, ...]:
    """The changes without overlaps: the surest first, of equals the longest; then in reading order."""
    kept: list[Change] = []
    for change in sorted(found, key=lambda c: (-c.confidence, c.start - c.end, c.start, c.after)):
        if all(change.end <= other.start or other.end <= change.start for other in kept):
            kept.append(change)
    return tuple(sorted(kept, key=lambda c: c.start))


def _pinyin(han: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Syllables and tones ("1"–"5") of Chinese characters, one each, read in context."""
    try:
        from pypinyin import Style, lazy_pinyin
    except ImportError as error:
        raise MissingDependency(
            "Chinese words are compared by sound with pypinyin, which is not installed.",
            next_step="pip install 'openteller[voice]'",
        ) from error
    read = lazy_pinyin(han, style=Style.TONE3, neutral_tone_with_five=True, errors=cast(Callable[[str], str], list))
    return tuple(s.rstrip("12345") for s in read), tuple(s[-1] for s in read)


def _near(syllables: Iterable[str]) -> tuple[str, ...]:
    return tuple(map(_near_sound, syllables))


@cache
def _near_sound(syllable: str) -> str:
    """One spelling for the sounds that speakers and recognisers mix up."""
    for initial, plain in _INITIALS:
        if syllable.startswith(initial):
            syllable = plain + syllable[len(initial) :]
            break
    return re.sub(r"([aei]n)g$", r"\1", syllable)


def _alike(heard: str, name: str) -> float:
    """How likely `name` was said where `heard` is written: 0 unless their consonants agree (in one word one of five may differ)."""
    letters, wanted = re.sub("[^a-z]", "", heard.lower()), name.lower()
    if letters == wanted:
        return 0.95 if " " in heard or "-" in heard else 0.0  # capitals alone are no mistake
    if letters.removesuffix("s") == wanted or (letters == heard.lower() and _ordinary_english(letters)):
        return 0.0
    ours, theirs = _skeleton(wanted), _skeleton(letters)
    apart = (
        0
        if ours == theirs
        else 1
        if len(ours) >= 5 and letters == heard.lower() and SequenceMatcher(None, ours, theirs).ratio() >= 0.8
        else 2
    )
    likeness = SequenceMatcher(None, letters, wanted).ratio()
    return 0.0 if apart == 2 or likeness < 0.6 else round(0.45 + 0.5 * likeness - 0.1 * apart, 2)


@cache
def _vocabulary() -> frozenset[str]:
    """English words in lower case, those of the pronouncing dictionary that comes with misaki."""
    try:
        dictionary = files("misaki") / "data" / "us_gold.json"
    except ImportError as error:
        raise MissingDependency(
            "English names are told from ordinary words by misaki's dictionary, which is not installed.",
            next_step="pip install 'openteller[voice]'",
        ) from error
    return frozenset(word.lower() for word in json.loads(dictionary.read_text("utf-8")))


def _ordinary_english(word: str) -> bool:
    """Whether `word` is in the dictionary, itself or without an ending."""
    word = word.lower()
    stems = (word, *(word.removesuffix(end) for end in ("s", "es", "ed", "d", "ing", "ly")))
    return any(stem in _vocabulary() for stem in stems)


_SOUNDS = (
    ("ph", "f"), ("ck", "k"), ("qu", "kw"), ("x", "ks"), ("sch", "sk"), ("tch", "j"), ("ch", "j"), ("sh", "j"), ("th", "t"),
    ("gh", ""), ("kn", "n"), ("wr", "r"), ("ce", "se"), ("ci", "si"), ("cy", "sy"), ("c", "k"), ("z", "s"), ("ge", "je"),
    ("gi", "ji"), ("q", "k"), ("v", "f"),
)  # fmt: skip


@cache
def _skeleton(word: str) -> str:
    """The consonants of an English word by their sound, doubles once, a first vowel as "a": Steadygain is "stdkn"."""
    for written, sound in _SOUNDS:
        word = word.replace(written, sound)
    head = "a" if word[:1] in "aeiou" else word[:1]
    return re.sub(r"(.)\1+", r"\1", head + re.sub("[aeiouwyh]", "", word[1:]))
