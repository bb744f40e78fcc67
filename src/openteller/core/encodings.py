"""Bytes to text: UTF-8, UTF-16, GB 18030 or Big5, told apart by marks and by how common the characters would be.

What is not covered: other encodings (Shift JIS, windows-125x) and UTF-16 without a byte-order mark unless it holds
mostly Latin text. Knows nothing about what the text is of.
"""

import codecs
import unicodedata
from collections.abc import Callable, Iterator

_SAMPLE_BYTES = 200_000
_JUNK_SHARE = 0.02


def decoded(data: bytes) -> str | None:
    """The text with plain line feeds and no byte-order mark; None where the bytes are in no known encoding."""
    for encoding in _candidates(data):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if not _is_junk(text):
            return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    return None


def decoded_by_line(data: bytes) -> tuple[str, tuple[int, ...]] | None:
    """The same for a file that was put together from parts in UTF-8 and in GB 18030.

    Returns:
        The text, and the numbers (from 1) of lines that are in neither, whose faulty bytes read as U+FFFD; None where the
        bytes are no text at all.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in data[:4000]:
        whole = decoded(data)
        return None if whole is None else (whole, ())
    lines = data.removeprefix(codecs.BOM_UTF8).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    read = [_line(line, "utf-8") for line in lines]
    if None not in read:
        text = "\n".join(line for line in read if line is not None)
        return None if _is_junk(text) else (text, ())
    if not any(line is not None and not line.isascii() for line in read):
        whole = decoded(data)
        if whole is not None:
            return whole, ()
    repaired = [line if line is not None else _line(raw, "gb18030") for line, raw in zip(read, lines, strict=True)]
    faulty = tuple(number for number, line in enumerate(repaired, 1) if line is None)
    text = "\n".join(
        line if line is not None else raw.decode("utf-8", "replace") for line, raw in zip(repaired, lines, strict=True)
    )
    return None if _is_junk(text) else (text, faulty)


def _line(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None


def _candidates(data: bytes) -> Iterator[str]:
    """The likeliest first."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield "utf-16"
        return
    even, odd = data[0:4000:2].count(0), data[1:4000:2].count(0)
    if even + odd:
        half = min(len(data), 4000) / 2
        if max(even, odd) < 0.3 * half or min(even, odd) > 0.05 * half:
            return
        yield "utf-16-le" if odd > even else "utf-16-be"
        return
    yield "utf-8"
    sample = data[:_SAMPLE_BYTES]
    yield from (
        ("gb18030", "big5") if _share(sample, _gb_common) >= _share(sample, _big5_common) else ("big5", "gb18030")
    )


def _share(sample: bytes, is_common: Callable[[int, int], bool]) -> float:
    """Share of two-byte characters that are common ones, reading `sample` in that encoding."""
    position = found = common = 0
    while position < len(sample) - 1:
        if sample[position] < 0x80:
            position += 1
            continue
        found += 1
        common += is_common(sample[position], sample[position + 1])
        position += 2
    return common / found if found else 0.0


def _gb_common(lead: int, trail: int) -> bool:
    """GB 2312 symbols and its first level, the 3,755 most used characters."""
    return trail >= 0xA1 and (0xA1 <= lead <= 0xA3 or 0xB0 <= lead <= 0xD7)


def _big5_common(lead: int, trail: int) -> bool:
    """Big5 symbols and its first level, the 5,401 most used characters."""
    valid = 0x40 <= trail <= 0x7E or trail >= 0xA1
    return valid and 0xA1 <= lead <= 0xC6


def _is_junk(text: str) -> bool:
    sample = text[:100_000]
    if sample.replace("\n", "").isprintable():
        return False
    odd = sum(unicodedata.category(c) in ("Cc", "Cn", "Co", "Cs") and c not in "\n\r\t\f" for c in sample)
    return odd > _JUNK_SHARE * len(sample)
