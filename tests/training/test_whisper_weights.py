"""Whisper's weights: CTranslate2 to torch and back is the same model, bit for bit, and hears the same."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from openteller.core.errors import ModelUnavailable
from openteller.runtime.catalogue import Catalogue
from openteller.training.datasets.audio import read_clip
from openteller.training.recogniser import Recogniser, Whisper, load_whisper
from openteller.training.speech import places
from openteller.training.speech_export import exact_texts, write
from openteller.training.speech_features import Ear, Window
from openteller.training.whisper_weights import read_arrays

ctranslate2 = pytest.importorskip("ctranslate2")

SPEECH = Path(__file__).parents[1] / "voice/sounds"


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    return Catalogue(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def whisper(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Whisper:
    found = places(catalogue, "whisper-base", tmp_path_factory.mktemp("cache"))
    return load_whisper(found.weights, found.config, found.tokenizer)


@pytest.fixture(scope="module")
def exported(whisper: Whisper, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    write(whisper, whisper.model, folder, "float16")
    return folder


def test_back_and_forth_is_the_same_model(catalogue: Catalogue, exported: Path) -> None:
    before, after = read_arrays(catalogue.locate("whisper-base")), read_arrays(exported / "model.bin")
    assert before.keys() <= after.keys()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    config = catalogue.locate("whisper-base-config").read_bytes()
    assert json.loads((exported / "config.json").read_bytes()) == json.loads(config)


@pytest.mark.parametrize(("file", "language"), [("zh-lost-card.ogg", "zh"), ("en-block-books.ogg", "en")])
def test_torch_and_ctranslate2_compute_the_same(
    whisper: Whisper, exported: Path, tmp_path: Path, file: str, language: str
) -> None:
    window = Window(5.0).of(Ear(whisper.bands, tmp_path).log_mel(read_clip(SPEECH / file)))
    engine = ctranslate2.models.Whisper(str(exported), compute_type="float32", intra_threads=1)
    features = ctranslate2.StorageView.from_array(np.ascontiguousarray(window[None], np.float32))
    prompt = whisper.prompt(language, timed=False)
    told = engine.generate(features, [prompt], beam_size=1, max_length=40, return_logits_vocab=True)[0]
    theirs = np.stack([np.asarray(step) for step in told.logits[0]]).reshape(len(told.logits[0]), -1)
    ids = torch.tensor([[*prompt, *told.sequences_ids[0]]])
    module = Recogniser(whisper, whisper.model).eval()
    with torch.no_grad():
        encoded = module.encode(torch.from_numpy(window[None]))
        hidden = whisper.model.model.decoder(input_ids=ids, encoder_hidden_states=encoded).last_hidden_state
        ours = whisper.model.proj_out(hidden)[0, len(prompt) - 1 :].numpy()
    assert np.abs(np.asarray(engine.encode(features)) - encoded.numpy()).max() < 2e-3
    compared = theirs > -1e4  # those that must not come are put down there
    assert compared.mean() > 0.9
    assert np.abs(theirs - ours[: len(theirs)])[compared].max() < 5e-3 * np.abs(ours).max()
    text = module.transcribe(torch.from_numpy(window[None]), language, timed=False)
    assert text == exact_texts(exported, whisper, [(window, language)], 1)


def test_a_damaged_file_is_refused(catalogue: Catalogue, tmp_path: Path) -> None:
    whole = catalogue.locate("whisper-base").read_bytes()
    for body in (b"", whole[:1000], whole[: len(whole) // 2], b"\x06\x00\x00\x00\x05\x00Other\x00" + whole[20:]):
        (tmp_path / "model.bin").write_bytes(body)
        with pytest.raises(ModelUnavailable, match="damaged"):
            read_arrays(tmp_path / "model.bin")


@given(st.binary(max_size=200))
def test_noise_is_no_model(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    path = tmp_path_factory.mktemp("noise") / "model.bin"
    path.write_bytes(body)
    with pytest.raises(ModelUnavailable):
        read_arrays(path)
