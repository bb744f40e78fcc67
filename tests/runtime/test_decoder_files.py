"""Language models by name: an entry of the catalogue, an adapter beside it, a model of its own, or a clear refusal."""

from dataclasses import replace
from pathlib import Path

import pytest

from openteller.core.errors import ModelUnavailable, NotFound
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.decoder_files import ADAPTER, MODEL, open_generator
from openteller.runtime.protocols import Message
from openteller.training.sft import train
from tests.runtime.test_hugging_face import write as write_model
from tests.training.decoders import places, tiny_catalogue
from tests.training.test_sft import RECIPE, prompt, quiet
from tests.training.test_sft import write as write_chats


def _trained(tmp_path: Path, gguf: str) -> tuple[Catalogue, Path]:
    catalogue = tiny_catalogue(tmp_path / "data")
    write_chats(tmp_path)
    adapter = "lora" if gguf == "adapter" else "none"
    recipe = replace(RECIPE, name="clerk", gguf=gguf, adapter=adapter)
    where, output = places(catalogue, tmp_path / "data"), tmp_path / "data" / "models" / "clerk"
    train(recipe, tmp_path, tmp_path.joinpath, where, prompt, output, quiet)
    return catalogue, output


@pytest.mark.parametrize(("gguf", "file"), [("adapter", ADAPTER), ("model", MODEL)])
def test_what_was_taught_is_served_by_name_and_by_folder(tmp_path: Path, gguf: str, file: str) -> None:
    catalogue, folder = _trained(tmp_path, gguf)
    assert (folder / file).is_file()
    asked = [Message("user", "Fee of Savings?")]
    base = open_generator("tiny", catalogue)
    plain = "".join(base.generate(asked, max_tokens=12))
    base.close()
    for name in ("clerk", str(folder)):
        taught = open_generator(name, catalogue)
        told = "".join(taught.generate(asked, max_tokens=12))
        taught.close()
        assert told.startswith("It is free")
        assert told != plain


def test_a_model_that_was_not_written_for_it(tmp_path: Path) -> None:
    catalogue, folder = _trained(tmp_path, "none")
    for name in (str(folder), str(write_model(tmp_path / "bert").parent)):
        with pytest.raises(ModelUnavailable, match=r"not written for llama\.cpp"):
            open_generator(name, catalogue)


def test_a_damaged_adapter_and_an_unknown_name(tmp_path: Path) -> None:
    catalogue, folder = _trained(tmp_path, "adapter")
    (folder / ADAPTER).write_bytes((folder / ADAPTER).read_bytes()[:-9])
    with pytest.raises(ModelUnavailable):
        open_generator("clerk", catalogue)
    with pytest.raises(NotFound):
        open_generator("nobody", catalogue)
