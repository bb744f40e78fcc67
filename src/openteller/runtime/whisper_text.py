"""What Whisper writes when it goes wrong, and how to tell: loops, captions of films, its own prompt.

Knows only texts, no model. Whisper learned from subtitles, so what it invents in silence are mostly their credits.
"""

import re
import zlib
from collections.abc import Sequence

from openteller.core.text import fold, simplified

_COMPRESSION = 2.4  # Radford et al. 2022, §4.5: above, a text repeats itself
_REPEATS = re.compile(r"(.{1,40}?)\1{4,}", re.DOTALL)
# Nobody says these to a bank.
_CREDITS = re.compile(
    r"^(?:中文)?字幕$|字幕(?:由|by|制作|志愿者|组|君|提供)|amara\.?org|(?:点赞|订阅).{0,6}(?:订阅|点赞|转发|打赏)|明镜与点点|优优独播剧场|"
    r"(?:谢谢|感谢)(?:大家)?(?:观看|收看|收听)|thank(?:s| you)(?: so much| very much)? for (?:watching|listening)|"
    r"subtitles? by|like and subscribe|subscribe to (?:my|our|the|this) channel"
)
# These can be said, and are invented as well.
_POLITE = frozenset(
    {"you", "thank you", "bye", "bye bye", "谢谢", "谢谢大家", "再见", "拜拜", "嗯", "啊", "oh", "so", "okay"}
)
_PLAIN = re.compile(r"[^\w]+")
_GAP = re.compile(r"(?<=[㐀-鿿，。！？、；：])\s+(?=[㐀-鿿，。！？、；：])")
_UNITS = re.compile(r"[㐀-鿿]|\d|[^\W\d㐀-鿿]+")
_COMFORTABLE, _FASTEST = 6.0, 11.0  # Han characters, digits or words a second, the pauses counted
_SHORTEST_REPEATED = 3  # of them
_MARKS = re.compile(r"[(\[（【][^)\]）】]{0,40}[)\]）】]|[♪♫]+")


def clean(text: str, language: str) -> str:
    """`text` without stage directions such as [Music]; Chinese in simplified characters, without spaces between them."""
    text = _MARKS.sub(" ", text).replace("\ufffd", "").strip()
    return _GAP.sub("", simplified(text)) if language == "zh" else " ".join(text.split())


def loops(text: str) -> bool:
    """Whether `text` goes round in circles. Digits may: 000000 is an amount, or a test of a card number."""
    data = text.encode()
    if len(data) > 60 and len(data) / len(zlib.compress(data)) > _COMPRESSION:
        return True
    found = _REPEATS.search(text)
    return found is not None and not found[1].strip().isdigit() and bool(found[1].strip(" .。,，-"))


def unlooped(text: str) -> str:
    """`text` with what is said five times or more said once."""
    return _REPEATS.sub(lambda found: found[0] if found[1].strip().isdigit() else found[1], text)


def is_hasty(text: str, seconds: float) -> bool:
    """Whether nobody can say `text` in so many seconds."""
    return len(_UNITS.findall(text)) > 3 + seconds * _FASTEST


def once(text: str, seconds: float) -> str:
    """`text` without repetition, where all of it, twice or oftener, was heard in less time than it takes to say.

    The last time may be broken off. Runs of digits alone stay as they are.
    """
    units = list(_UNITS.finditer(text))
    said = [unit[0].lower() for unit in units]
    if len(said) <= seconds * _COMFORTABLE:
        return text
    for period in range(_SHORTEST_REPEATED, len(said) * 5 // 8 + 1):
        if said[period:] == said[:-period] and not all(unit.isdigit() for unit in said[:period]):
            return text[: units[period].start()].strip()
    return text


def is_invented(text: str, no_speech: float) -> bool:
    """Whether `text` is what Whisper writes when nobody speaks.

    Args:
        text: as cleaned.
        no_speech: the model's probability that nobody spoke.
    """
    plain = _PLAIN.sub(" ", fold(text)).strip()
    if not plain:
        return True
    return bool(_CREDITS.search(plain) or _CREDITS.search(fold(text))) or (plain in _POLITE and no_speech > 0.5)


def is_prompt(text: str, hotwords: Sequence[str]) -> bool:
    """Whether `text` is nothing but two or more of the hot words, as the prompt lists them: what Whisper makes of a hum.

    One of them alone, such as a product's name of several words, is what somebody says.
    """
    said = [part for part in re.split(r"[、,，;；.。?？\s]+", fold(text)) if part]
    if any(f" {' '.join(said)} " in f" {fold(word)} " for word in hotwords):
        return False
    given = {part for word in hotwords for part in re.split(r"\s+", fold(word)) if part}
    return len(said) >= 2 and given.issuperset(said) and (len(said) >= 3 or "、" in text)
