"""GGUF headers: read from real weights, and refused cleanly when damaged anywhere."""

import struct
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openteller.core.errors import ModelUnavailable
from openteller.runtime.gguf import GgufHeader, read_header
from tests.runtime.engines import smollm2


def _text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def _header(version: int = 3, *, template: bool = True) -> bytes:
    pairs = [
        _text("general.architecture") + struct.pack("<I", 8) + _text("llama"),
        _text("llama.context_length") + struct.pack("<II", 4, 512),
        _text("some.flag") + struct.pack("<I?", 7, True),
        _text("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, 3) + _text("<s>") + _text("的") + _text("</s>"),
        _text("tokenizer.ggml.token_type") + struct.pack("<IIQ3i", 9, 5, 3, 3, 1, 3),
    ]
    if template:
        pairs.append(_text("tokenizer.chat_template") + struct.pack("<I", 8) + _text("{{ messages }}"))
    return b"GGUF" + struct.pack("<IQQ", version, 0, len(pairs)) + b"".join(pairs)


def test_the_header_of_real_weights() -> None:
    header = read_header(smollm2())
    assert (header.architecture, header.context_length) == ("llama", 8192)
    assert header.chat_template is not None
    assert "<|im_start|>" in header.chat_template
    assert {"<|im_start|>", "<|im_end|>"} <= set(header.control_tokens)


def test_fields_are_read(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(_header())
    header = read_header(tmp_path / "m.gguf")
    assert (header.name, header.context_length, header.chat_template) == ("llama", 512, "{{ messages }}")
    assert header.control_tokens == ("<s>", "</s>")


def test_a_base_model_has_no_template(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(_header(template=False))
    assert read_header(tmp_path / "m.gguf").chat_template is None


@pytest.mark.parametrize("data", [b"", b"hello" * 50, _header(version=1), b"GGUF"])
def test_other_files_are_refused_with_a_next_step(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "m.gguf").write_bytes(data)
    with pytest.raises(ModelUnavailable) as caught:
        read_header(tmp_path / "m.gguf")
    assert caught.value.cause
    assert caught.value.next_step


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        read_header(tmp_path / "none.gguf")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cut=st.integers(0, len(_header()) - 1))
def test_a_file_cut_anywhere_is_refused(tmp_path: Path, cut: int) -> None:
    (tmp_path / "m.gguf").write_bytes(_header()[:cut])
    with pytest.raises(ModelUnavailable):
        read_header(tmp_path / "m.gguf")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(24, len(_header()) - 1), value=st.integers(0, 255))
def test_a_damaged_byte_is_read_or_refused(tmp_path: Path, at: int, value: int) -> None:
    data = bytearray(_header())
    data[at] = value
    (tmp_path / "m.gguf").write_bytes(bytes(data))
    with suppress(ModelUnavailable):
        assert isinstance(read_header(tmp_path / "m.gguf"), GgufHeader)
