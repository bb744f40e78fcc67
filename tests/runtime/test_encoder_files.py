"""Encoders in one safetensors file: what was written is read, damage is refused, and transformers reads it too."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from openteller.core.errors import ModelUnavailable
from openteller.runtime.encoder_files import read_encoder, write_encoder
from openteller.runtime.tokenizer import build_tokenizer
from tests.runtime.encoders import small


def test_what_was_written_is_read(tmp_path: Path) -> None:
    written = replace(small(), pieces=[*small().pieces[:-1], ("存款准备金", -7.5)])
    write_encoder(written, tmp_path / "model.safetensors")
    read = read_encoder(tmp_path / "model.safetensors")
    assert replace(read, tensors={}) == replace(written, tensors={})
    assert read.tensors.keys() == written.tensors.keys()
    for name, array in written.tensors.items():
        np.testing.assert_array_equal(read.tensors[name], array)
    assert build_tokenizer(read).encode("存款准备金").ids == build_tokenizer(written).encode("存款准备金").ids


def test_the_file_of_the_package_is_read_as_before(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable):
        read_encoder(tmp_path / "none.bin")


@pytest.mark.parametrize("damage", ["cut", "gone", "foreign", "broken"])
def test_damage_is_refused_with_a_next_step(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "model.safetensors"
    tiny = replace(small(), tensors={"a": np.ones((2, 2), np.float32)}, pieces=small().pieces[:5])
    write_encoder(tiny, path)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif damage == "gone":
        path.unlink()
    elif damage == "foreign":
        save_file({"a": np.ones(2, np.float32)}, path)
    else:
        with safe_open(path, "np") as file:
            noted = json.loads(file.metadata()["openteller.encoder"])
        del noted["hidden"]
        save_file({"a": np.ones(2, np.float32)}, path, metadata={"openteller.encoder": json.dumps(noted)})
    with pytest.raises(ModelUnavailable) as caught:
        read_encoder(path)
    assert caught.value.next_step
