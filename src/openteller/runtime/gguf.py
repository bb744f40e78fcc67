"""Reads the header of a GGUF file: what a language model says about itself before it is loaded.

Format: ggml-org/ggml docs/gguf.md, versions 2 and 3, little endian: magic, version, counts, then typed key–value pairs.
Knows nothing about tensors or engines.
"""

import mmap
import struct
from dataclasses import dataclass
from pathlib import Path

from openteller.core.errors import ModelUnavailable

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_CONTROL_TOKEN = 3

Value = int | float | str | list["Value"]


@dataclass(frozen=True)
class GgufHeader:
    """What the backends need of a header.

    context_length: the longest context in tokens that the model was trained for.
    chat_template: the Jinja template, or None for a base model that was never tuned to chat.
    control_tokens: texts such as ``<|im_end|>`` that the tokeniser reads as control tokens.
    """

    architecture: str
    name: str
    context_length: int
    chat_template: str | None
    control_tokens: tuple[str, ...]


class _Cursor:
    """A cursor over little-endian bytes. Raises struct.error past the end."""

    def __init__(self, data: mmap.mmap) -> None:
        self.data, self.at = data, 0

    def take(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from("<" + layout, self.data, self.at)
        self.at += struct.calcsize("<" + layout)
        return values

    def text(self) -> str:
        (length,) = self.take("Q")
        if self.at + length > len(self.data):
            raise ValueError("a text runs past the end")
        piece = self.data[self.at : self.at + length]
        self.at += length
        return piece.decode("utf-8", "replace")

    def value(self, kind: int) -> Value:
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            return self.take(_SCALARS[kind])[0]
        item, count = self.take("IQ")
        if item in _SCALARS:
            return list(self.take(f"{count}{_SCALARS[item]}"))
        return [self.value(item) for _ in range(count)]


def read_header(path: Path) -> GgufHeader:
    """Read the header of the file at `path`. Raises ModelUnavailable when it is missing, cut short or no GGUF file."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _header(_pairs(_Cursor(data)))
    except (OSError, ValueError, KeyError, struct.error, OverflowError, RecursionError) as error:
        raise ModelUnavailable(
            f"The language model {path.name} cannot be read.",
            cause=f"The file is missing, cut short or not a GGUF file ({error}).",
            next_step="Check the path, or fetch the file again.",
        ) from error


def _pairs(cursor: _Cursor) -> dict[str, Value]:
    magic, version, _tensors, count = cursor.take("IIQQ")
    if magic != int.from_bytes(b"GGUF", "little") or version not in (2, 3):
        raise ValueError("wrong magic or version")
    pairs = {}
    for _ in range(count):
        key = cursor.text()
        (kind,) = cursor.take("I")
        pairs[key] = cursor.value(kind)
    return pairs


def _header(pairs: dict[str, Value]) -> GgufHeader:
    architecture = str(pairs["general.architecture"])
    length = pairs[f"{architecture}.context_length"]
    template = pairs.get("tokenizer.chat_template")
    tokens, kinds = pairs.get("tokenizer.ggml.tokens"), pairs.get("tokenizer.ggml.token_type")
    if not isinstance(length, int):
        raise ValueError("the context length is not a number")
    control: tuple[str, ...] = ()
    if isinstance(tokens, list) and isinstance(kinds, list):
        marked = zip(tokens, kinds, strict=False)
        control = tuple(str(token) for token, kind in marked if kind == _CONTROL_TOKEN and token)
    name = str(pairs.get("general.name", architecture))
    return GgufHeader(architecture, name, length, template if isinstance(template, str) else None, control)
