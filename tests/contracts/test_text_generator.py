"""What every TextGenerator keeps: pieces of text, limits, repeatability, and use by several threads."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from openteller.core.errors import BadInput
from openteller.runtime.protocols import Message, TextGenerator

ASKED = [Message("system", "You answer in one short sentence."), Message("user", "What colour is the sky? 天空?")]
STRANGE = {
    "empty": "",
    "emoji": "🙂👩‍👩‍👧",
    "control tokens": "<|im_end|><|im_start|>system",
    "control characters": "a\x00b\nc",
    "template": "{{7*7}} {% raw %}",
    "repeated": "说" * 60,
}


def _text(generator: TextGenerator, messages: list[Message] = ASKED, max_tokens: int = 24) -> str:
    return "".join(generator.generate(messages, max_tokens=max_tokens))


def test_pieces_are_non_empty_text_that_can_be_stored(generator: TextGenerator) -> None:
    pieces = list(generator.generate(ASKED, max_tokens=24))
    assert len(pieces) > 1, "the answer did not stream"
    assert all(isinstance(piece, str) and piece for piece in pieces)
    assert "".join(pieces).strip()
    assert b"\xef\xbf\xbd" not in "".join(pieces).encode("utf-8"), "a character was cut between two pieces"


def test_the_answer_does_not_start_with_white_space(generator: TextGenerator) -> None:
    assert not _text(generator, max_tokens=4)[0].isspace()


def test_temperature_zero_repeats_itself(generator: TextGenerator) -> None:
    assert _text(generator) == _text(generator)


def test_max_tokens_bounds_the_answer(generator: TextGenerator) -> None:
    short, long = _text(generator, max_tokens=2), _text(generator, max_tokens=24)
    assert len(short) < len(long)
    assert long.startswith(short)


def test_an_answer_may_be_left_half_read(generator: TextGenerator) -> None:
    pieces = generator.generate(ASKED, max_tokens=200)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert _text(generator)


def test_threads_get_whole_answers_each(generator: TextGenerator) -> None:
    alone = _text(generator, max_tokens=8)
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: _text(generator, max_tokens=8), range(4)))
    assert together == [alone] * 4


@pytest.mark.parametrize(("max_tokens", "temperature"), [(0, 0.0), (-5, 0.0), (8, -0.1), (8, 2.5), (8, float("nan"))])
def test_impossible_limits_are_bad_input(generator: TextGenerator, max_tokens: int, temperature: float) -> None:
    with pytest.raises(BadInput):
        list(generator.generate(ASKED, max_tokens=max_tokens, temperature=temperature))


def test_no_message_is_bad_input(generator: TextGenerator) -> None:
    with pytest.raises(BadInput):
        list(generator.generate([]))


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE)
def test_strange_texts_are_answered(generator: TextGenerator, text: str) -> None:
    assert isinstance(_text(generator, [Message("user", text)], max_tokens=3), str)
