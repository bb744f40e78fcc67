"""Export: the folder decides as the trained model does, opens without torch, loads in transformers; or is refused whole."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from transformers import AutoTokenizer, BertModel

from openteller.core.errors import BadInput, ModelUnavailable, OpenTellerError
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.exported import MODEL_FILES, open_classifier, open_exported
from openteller.training.exporting import export as exporting
from openteller.training.exporting.export import PARITY, export
from openteller.training.exporting.texts import texts_of, validation_texts
from openteller.training.finetune import finetune
from openteller.training.trained import TrainedEncoder, open_trained
from tests.training.test_finetune import LINES, RECIPE, SPANS, quiet, write

TEXTS = [str(line["text"]) for line in LINES]
Train = Callable[..., Path]


@pytest.fixture(scope="module")
def trained(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Train:
    def train(rows: list[dict[str, object]] = LINES, **changes: object) -> Path:
        folder = tmp_path_factory.mktemp("artefact")
        write(folder / "toy.jsonl", rows)
        recipe = replace(RECIPE, **changes)  # type: ignore[arg-type]
        finetune(recipe, folder.joinpath, Catalogue(data_dir).locate("small"), folder / "artefact", quiet)
        return folder / "artefact"

    return train


@pytest.fixture(scope="module")
def model(data_dir: Path, trained: Train) -> TrainedEncoder:
    return open_trained(trained(adapter="lora", epochs=8, learning_rate=1e-2), Catalogue(data_dir))


def test_each_file_decides_as_torch_and_opens_without_it(model: TrainedEncoder, tmp_path: Path) -> None:
    done = export(model, tmp_path / "out", tuple(MODEL_FILES), TEXTS, quiet)
    said = json.loads((done.folder / PARITY).read_text("utf-8"))
    assert set(said["models"]) == set(MODEL_FILES.values())
    for precision, most in (("fp32", 1e-4), ("int8", 0.5)):
        (head,) = done.parities[precision].heads
        assert (head.equal, head.decisions) == (len(TEXTS), len(TEXTS))
        assert head.difference < most
        found = open_classifier(done.folder, precision).classify(["卡在地铁丢了怎么办"])  # type: ignore[arg-type]
        assert found[0][0].label == "lost"
    assert set(done.manifest.files) >= {*MODEL_FILES.values(), "model.safetensors", "tokenizer.json", PARITY}


def test_transformers_loads_the_folder(model: TrainedEncoder, tmp_path: Path) -> None:
    folder = export(model, tmp_path / "out", ("fp32",), TEXTS, quiet).folder
    tokenizer, encoder = (
        AutoTokenizer.from_pretrained(folder),
        BertModel.from_pretrained(folder, add_pooling_layer=False),
    )
    batch = tokenizer("我的卡丢了", return_tensors="pt")
    assert batch["input_ids"][0].tolist() == model.tokens("我的卡丢了").ids
    hidden = encoder.eval()(input_ids=batch["input_ids"]).last_hidden_state.mean(1)[0].detach().numpy()
    expected = open_exported(folder)[0].encode(["我的卡丢了"]).embedding[0]
    assert float(hidden @ expected / np.linalg.norm(hidden)) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("rows", "changes", "text"),
    [
        (LINES, {"task": "pair-classification", "columns": {"pair": "text"}}, ("卡丢了", "卡丢了")),
        (SPANS, {"task": "tokens"}, "转300元到北京"),
        (LINES, {"task": "multi-label", "columns": {"labels": "label"}}, "卡丢了"),
    ],
)
def test_other_tasks_are_exported_too(
    data_dir: Path,
    trained: Train,
    tmp_path: Path,
    rows: list[dict[str, object]],
    changes: dict[str, object],
    text: object,
) -> None:
    opened = open_trained(trained(rows, **changes), Catalogue(data_dir))
    done = export(opened, tmp_path / "out", ("fp32",), [text], quiet)  # type: ignore[list-item]
    assert done.parities["fp32"].passed


def test_a_file_that_decides_otherwise_is_refused_and_nothing_is_left(
    model: TrainedEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = exporting.build_encoder

    def tampered(weights: object, heads: dict[str, object], path: Path, **options: object) -> None:
        turned = {name: replace(head, weight=-head.weight, bias=-head.bias) for name, head in heads.items()}  # type: ignore[attr-defined,type-var]
        honest(weights, turned, path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(exporting, "build_encoder", tampered)
    with pytest.raises(OpenTellerError, match="does not decide as the trained one") as error:
        export(model, tmp_path / "out", ("fp32",), TEXTS, quiet)
    assert "0 of 24 decisions are equal" in error.value.cause
    assert TEXTS[0] in error.value.cause
    assert list(tmp_path.iterdir()) == []


def test_only_an_earlier_export_is_replaced(model: TrainedEncoder, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "thesis.txt").write_text("years of work", "utf-8")
    with pytest.raises(BadInput, match="cannot be written to"):
        export(model, mine, ("fp32",), TEXTS, quiet)
    assert [path.name for path in mine.iterdir()] == ["thesis.txt"]
    export(model, tmp_path / "out", ("int8",), TEXTS, quiet)
    again = export(model, tmp_path / "out", ("fp32",), TEXTS, quiet)
    assert not (again.folder / MODEL_FILES["int8"]).exists()
    with pytest.raises(ModelUnavailable, match="no int8 model"):
        open_classifier(again.folder, "int8")


def test_weights_that_are_not_those_that_were_measured_are_not_opened(
    data_dir: Path, trained: Train, tmp_path: Path
) -> None:
    artefact = trained(epochs=1)
    heads = load_file(artefact / "heads.safetensors")
    save_file({name: array + 1 for name, array in heads.items()}, artefact / "heads.safetensors")
    with pytest.raises(ModelUnavailable, match="not the file that was measured"):
        open_trained(artefact, Catalogue(data_dir))
    manifest = open_exported  # a folder of `teller finetune` is no export
    with pytest.raises(ModelUnavailable):
        manifest(artefact)


def test_the_texts_are_the_recipes_own_or_those_of_a_file(
    data_dir: Path, trained: Train, model: TrainedEncoder, tmp_path: Path
) -> None:
    write(tmp_path / "toy.jsonl")
    own = validation_texts(model.manifest, tmp_path.joinpath, paired=False)
    assert set(own) < set(TEXTS)
    (tmp_path / "a.txt").write_text("卡丢了\n\n卡丢了\n房贷\n", "utf-8")
    assert texts_of(tmp_path / "a.txt", {}, paired=False) == ["卡丢了", "房贷"]
    with pytest.raises(BadInput, match="reads pairs"):
        texts_of(tmp_path / "a.txt", {}, paired=True)
    with pytest.raises(BadInput, match="names no validation rows"):
        validation_texts(model.manifest.model_copy(update={"task": "understanding"}), tmp_path.joinpath, paired=False)
