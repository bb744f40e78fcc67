"""The relevance run on five articles: three steps, and the artefact reranks."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from openteller.core.errors import BadInput, ModelUnavailable
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.loader import load_reranker, shipped_artefact
from openteller.runtime.scripted import ScriptedEmbedder
from openteller.training.optimisation import autocast
from openteller.training.relevance import Question, RelevanceRecipe, Shelf, mine, train

RECIPE = RelevanceRecipe(
    name="toy", weights="small", articles="articles", products="products", unanswerable="none.yaml",
    utterances="examples", layers=1, steps=3, questions=4, negatives=3, lora_rank=2, threads=1,
)  # fmt: skip


@pytest.fixture(scope="module")
def corner(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five articles, the cards, and twelve out-of-scope lines a language."""
    folder = tmp_path_factory.mktemp("corner")
    bank, source = root / "src/openteller/demo/bank", root / "recipes/data/understanding"
    for name in ("articles", "products", "examples"):
        (folder / name).mkdir()
    shutil.copy(bank / "products/cards.yaml", folder / "products")
    shutil.copy(source / "TAXONOMY.yaml", folder / "examples")
    articles = yaml.safe_load((bank / "articles/cards.yaml").read_text("utf-8"))[:5]
    (folder / "articles/cards.yaml").write_text(yaml.safe_dump(articles, allow_unicode=True), "utf-8")
    whole = yaml.safe_load((source / "out_of_scope.yaml").read_text("utf-8"))
    cut = {intent: {lang: lines[:12] for lang, lines in both.items()} for intent, both in whole.items()}
    (folder / "examples/out_of_scope.yaml").write_text(yaml.safe_dump(cut, allow_unicode=True), "utf-8")
    return folder


def test_three_steps_write_an_artefact_that_reranks(corner: Path, data_dir: Path, tmp_path: Path) -> None:
    catalogue, steps = Catalogue(data_dir), []
    report = lambda step, total, text: steps.append(step)  # noqa: E731
    written = train(RECIPE, corner, catalogue.locate("small"), ScriptedEmbedder(), tmp_path / "artefact", report)
    reranker = load_reranker(tmp_path / "artefact", catalogue, tmp_path)
    scores = reranker.score("我的卡丢了", ["银行卡丢失怎么办", "房贷利率"])
    assert steps == [1, 2, 3]
    assert written.settings["layers"] == 1
    assert 0 <= written.metrics["pairs_auc"] <= 1
    assert scores.shape == (2,)
    assert np.isfinite(scores).all()


def test_negatives_are_other_groups_near_first(corner: Path) -> None:
    shelf = Shelf(RECIPE, corner, ScriptedEmbedder())
    assert all(q.group not in q.near for q in shelf.train)
    assert all(set(q.near) <= set(shelf.openings) for q in shelf.train)
    assert any(q.group is None for q in shelf.train)
    openings = {g: {"zh": t, "en": t} for g, t in {"a": "lost card", "b": "card lost abroad", "c": "mortgage"}.items()}
    (mined,) = mine([Question("lost card", "en", "a")], openings, {}, ScriptedEmbedder())
    assert mined.near == ("b", "c")
    (kin,) = mine([Question("lost card", "en", "a")], openings, {"a": {"b"}}, ScriptedEmbedder())
    assert kin.near == ("c",)


def test_entries_of_a_faq_are_openings_of_a_bank_of_their_own(corner: Path) -> None:
    (corner / "faq").mkdir()
    row = {
        "topic": "cards",
        "question": "How do I replace a worn card?",
        "asked": ["card worn out"],
        "answer": "In the app.",
    }
    lines = [
        row | {"question": f"{row['question']} ({i})", "asked": [f"{w} {i}" for w in "abcdefgh"]} for i in range(3)
    ]
    (corner / "faq/en.jsonl").write_text("\n".join(map(json.dumps, lines)))
    shelf = Shelf(replace(RECIPE, faq="faq"), corner, ScriptedEmbedder())
    asked = [q for q in (*shelf.train, *shelf.validation) if (q.group or "").startswith("en/")]
    assert len(asked) == 24
    assert shelf.openings["en/00001"] == {"en": "How do I replace a worn card? (0) In the app."}
    assert all(set(q.near) == {"en/00001", "en/00002", "en/00003"} - {q.group} for q in asked)
    assert not any(g.startswith("en/") for q in shelf.train if q not in asked for g in q.near)


def test_an_unknown_precision_is_refused(corner: Path, data_dir: Path, tmp_path: Path) -> None:
    recipe = replace(RECIPE, precision="fp7")
    with pytest.raises(BadInput, match="fp7"):
        train(recipe, corner, data_dir / "small.bin", ScriptedEmbedder(), tmp_path / "out", lambda *_: None)
    assert not (tmp_path / "out").exists()
    with autocast("bf16"):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16


def test_an_artefact_of_another_task_is_no_reranker(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path)
    with pytest.raises(ModelUnavailable, match="no reranker"):
        load_reranker(shipped_artefact(), catalogue, tmp_path)
