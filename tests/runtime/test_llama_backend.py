"""llama.cpp in process, on real weights: grammar, limits, stopping, privacy of its socket, and damaged files."""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import BadInput, MissingDependency, ModelUnavailable, TooLarge, Unavailable
from openteller.runtime.llama_backend import ControlTokens, LlamaGenerator
from openteller.runtime.protocols import Message
from tests.runtime.engines import smollm2

ASK = [Message("user", "Is the sky blue?")]
TOKENS = ("<|im_start|>", "<|im_end|>", "<s>", "</s>", "[INST]")


@pytest.fixture(scope="module")
def llama() -> Iterator[LlamaGenerator]:
    generator = LlamaGenerator(smollm2(), context=512)
    yield generator
    generator.close()


def _llama_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "llama"]


def test_a_grammar_binds_the_answer(llama: LlamaGenerator) -> None:
    answer = "".join(llama.generate(ASK, grammar='root ::= "billing" | "card-lost"'))
    assert answer in ("billing", "card-lost")


def test_a_broken_grammar_is_bad_input(llama: LlamaGenerator) -> None:
    with pytest.raises(BadInput, match="grammar"):
        list(llama.generate(ASK, grammar="root := ("))
    assert list(llama.generate(ASK, max_tokens=2)), "the engine did not survive the broken grammar"


def test_a_chat_longer_than_the_context_is_too_large(llama: LlamaGenerator) -> None:
    with pytest.raises(TooLarge, match="512"):
        list(llama.generate([Message("user", "word " * 3000)]))


def test_the_context_is_never_above_what_the_model_was_trained_for() -> None:
    generator = LlamaGenerator(smollm2(), context=1_000_000)
    assert generator.context == 8192
    generator.close()


def test_closing_the_iterator_stops_the_engine(llama: LlamaGenerator) -> None:
    pieces = llama.generate([Message("user", "Write a long story about a bank.")], max_tokens=400)
    next(pieces)
    assert _llama_threads()
    pieces.close()  # type: ignore[attr-defined]
    deadline = time.monotonic() + 3
    while _llama_threads() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _llama_threads(), "generation went on after its reader left"


def test_it_opens_no_port(llama: LlamaGenerator) -> None:
    listening = [c for c in psutil.Process().net_connections("inet") if c.status == psutil.CONN_LISTEN]
    before = len(listening)
    other = LlamaGenerator(smollm2(), context=256)
    listening = [c for c in psutil.Process().net_connections("inet") if c.status == psutil.CONN_LISTEN]
    other.close()
    assert len(listening) == before


def test_its_socket_is_private_and_goes_with_it() -> None:
    generator = LlamaGenerator(smollm2(), context=256)
    sockets = [
        Path(str(c.laddr)) for c in psutil.Process().net_connections("unix") if "openteller-llm-" in str(c.laddr)
    ]
    assert sockets
    assert all(socket.parent.stat().st_mode & 0o077 == 0 for socket in sockets)
    generator.close()
    assert not all(socket.parent.exists() for socket in sockets)


def test_a_closed_generator_is_unavailable() -> None:
    generator = LlamaGenerator(smollm2(), context=256)
    generator.close()
    generator.close()
    with pytest.raises(Unavailable, match="closed"):
        list(generator.generate(ASK))


def test_silence_past_the_timeout_is_unavailable() -> None:
    generator = LlamaGenerator(smollm2(), context=512, timeout=0.001)
    with pytest.raises(Unavailable, match="gave nothing"):
        list(generator.generate(ASK))
    generator.close()


def test_a_base_model_without_template_is_given_a_play_script(tmp_path: Path) -> None:
    copy = tmp_path / "base.gguf"
    copy.write_bytes(smollm2().read_bytes().replace(b"tokenizer.chat_template", b"tokenizer.chat_templatX", 1))
    generator = LlamaGenerator(copy, context=256)
    assert generator.header.chat_template is None
    answer = "".join(generator.generate([Message("system", "Answer."), *ASK], max_tokens=40))
    generator.close()
    assert answer.strip()
    assert "User:" not in answer


def test_weights_cut_short_are_refused(tmp_path: Path) -> None:
    with smollm2().open("rb") as whole:
        (tmp_path / "cut.gguf").write_bytes(whole.read(8_000_000))
    with pytest.raises(ModelUnavailable, match=r"cut\.gguf") as caught:
        LlamaGenerator(tmp_path / "cut.gguf")
    assert caught.value.next_step


def test_without_the_package_the_hint_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(MissingDependency, match="pip install xllamacpp"):
        LlamaGenerator(tmp_path / "any.gguf")


@given(st.lists(st.sampled_from([*TOKENS, "<|im_", "end|>", "<", "s>", " ", "余额", "a"])).map("".join))
def test_no_control_token_survives(text: str) -> None:
    broken = ControlTokens(TOKENS)(text)
    assert not any(token in broken for token in TOKENS)
    assert broken.replace(" ", "") == text.replace(" ", "")


@given(st.text())
def test_ordinary_text_is_left_alone(text: str) -> None:
    assert ControlTokens(())(text) == text
