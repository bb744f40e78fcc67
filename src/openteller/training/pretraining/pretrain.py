"""Pre-trains an encoder (masked) or a decoder (causal) on a corpus, from a recipe to an artefact that others start from.

    recipe ─▶ documents ─▶ words to add ─▶ tokens on disk ─▶ windows ─▶ loop ─▶ perplexity before, during, after ─▶ artefact

Knows nothing about the command line or the knowledge base, whose texts it is handed.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

from openteller.core.errors import BadInput
from openteller.registry.durable import replace_file
from openteller.registry.manifest import Manifest
from openteller.runtime.encoder_files import load_backbone
from openteller.runtime.encoder_weights import EncoderWeights
from openteller.runtime.tokenizer import build_tokenizer
from openteller.training import checkpoints, processes
from openteller.training.artefacts import CURVE, described, written_whole
from openteller.training.datasets.records import require_choice
from openteller.training.decoders import load_decoder
from openteller.training.evaluation.perplexity import METRIC, curve, loss_figures
from openteller.training.evaluation.pictures import curve_picture
from openteller.training.fitting import Fitted, fit, steps_of
from openteller.training.gguf_export import Export
from openteller.training.optimisation import Report
from openteller.training.pretraining.causal import CausalStudent
from openteller.training.pretraining.corpus import Corpus, CorpusFields, Texts
from openteller.training.pretraining.masked import MaskedStudent, earlier_head
from openteller.training.pretraining.student import Student
from openteller.training.pretraining.windows import Tokenised, Windows, tokenised
from openteller.training.pretraining.words import domain_words, extended
from openteller.training.processes import from_main
from openteller.training.tuning import LanguageTuning, Places, begin, measured_often

TASKS = ("mlm", "clm")


@dataclass(frozen=True)
class PretrainRecipe(LanguageTuning, CorpusFields):
    """One run of pre-training. Fields of loop and model stand in LanguageTuning, those of the texts in CorpusFields."""

    task: str = "mlm"  #: mlm: an encoder guesses hidden tokens; clm: a decoder goes on with texts
    mask_share: float = 0.15  #: of the words, hidden (mlm)
    whole_words: bool = False  #: hide all tokens of a word or none; Chinese words are jieba's (mlm)
    add_words: int = 0  #: so many frequent words that the tokenizer cuts up get tokens of their own (mlm)
    add_words_least: int = 10  #: how often such a word occurs
    validation_windows: int = 256  #: of held-out text that are measured on


def pretrain(
    recipe: PretrainRecipe,
    locate: Callable[[str], Path],
    places: Places,
    output: Path,
    report: Report,
    *,
    knowledge: Texts | None = None,
    restart: bool = False,
) -> Manifest:
    """Run `recipe` and write the artefact to `output`; a run that was cut off goes on where it was.

    Args:
        recipe: what to train.
        locate: finds the path of a corpus file.
        places: where weights and caches are.
        output: where the artefact goes; its checkpoints stand in `output`/checkpoints until it is done.
        report: told (step, steps, text) as it goes.
        knowledge: gives the texts of the knowledge base.
        restart: leave old checkpoints aside.

    Raises:
        BadInput: the recipe or its corpus cannot be used.
        ModelUnavailable: the base weights cannot be read.
        FloatingPointError: the loss is not finite.
    """
    with processes.together():
        run = Run(recipe, locate, places, report, knowledge)
        folder = checkpoints.folder_of(output, restart=restart)
        before = run.judge()
        report(0, 0, f"held-out perplexity {before['perplexity']:.2f} before training")
        fitted = run.fit(folder, report)
        return checkpoints.finished(folder, lambda: run.save(output, before, fitted))


class Run:
    """One model, its windows and its figures, as a recipe asks. Raises BadInput when recipe or corpus cannot be used."""

    def __init__(
        self,
        recipe: PretrainRecipe,
        locate: Callable[[str], Path],
        places: Places,
        report: Report,
        knowledge: Texts | None = None,
    ) -> None:
        begin(recipe)
        require_choice("task", recipe.task, TASKS)
        self.recipe = recipe
        self.corpus = Corpus(recipe, locate, knowledge)
        self._digest = self.corpus.digest()
        cache = places.cache / "corpora"
        self.student, self.added = self._student(places, cache, report)
        layout = self.student.layout
        key = checkpoints.digest([self._digest, self.student.digest, asdict(layout)])
        tokenise = self.student.tokenise
        self.tokens: Tokenised = from_main(lambda: tokenised(self.corpus, tokenise, layout, cache, key, report))
        self.train = Windows(self.tokens, "train", layout)
        self.held_out = Windows(self.tokens, "held_out", layout, recipe.validation_windows)
        self.steps = steps_of(recipe, len(self.train))

    def fit(self, folder: Path, report: Report) -> Fitted:
        """Train, from the newest checkpoint in `folder` if it has one of this run; leaves the best state."""
        from_main(lambda: checkpoints.claim(folder, asdict(self.recipe) | {"corpus": self._digest}))
        schedule = measured_often(self.recipe, self.steps, METRIC)
        return fit(self.student.module, self.train, self.train.batch, self.judge, schedule, folder, report)

    @torch.no_grad()
    def judge(self) -> dict[str, float]:
        """The figures on held-out windows as the model stands; chance is the same each time."""
        self.student.module.eval()
        generator = torch.Generator().manual_seed(self.recipe.seed)
        losses = [self.student.loss(batch, generator) for batch in self._held_out()]
        return loss_figures(sum(total for total, _ in losses), sum(count for _, count in losses))

    def _held_out(self) -> Iterator[dict[str, torch.Tensor]]:
        device = next(self.student.module.parameters()).device
        for at in range(0, len(self.held_out), self.recipe.batch_size):
            batch = self.held_out.batch(self.held_out[at : at + self.recipe.batch_size])
            yield {name: tensor.to(device) for name, tensor in batch.items()}

    def save(self, output: Path, before: dict[str, float], fitted: Fitted) -> Manifest:
        """Measure and write the artefact with its curve."""
        points = curve(before, fitted.history)
        after = self.judge()
        figures = {
            "perplexity_before": before["perplexity"],
            **{f"perplexity_step_{step}": value for step, value in points if step},
            "perplexity": after["perplexity"],
            "log_likelihood": after["log_likelihood"],
            **{f"{side}_documents": float(count) for side, count in self.tokens.documents.items()},
            **{f"{side}_tokens": float(count) for side, count in self.tokens.tokens.items()},
            "repeated_documents": float(self.tokens.repeated),
            "minutes": fitted.seconds / 60,
            "tokens_per_second": fitted.samples * self.recipe.max_tokens / max(fitted.seconds, 1e-9),
        }
        with written_whole(output) as folder:
            noted = self.student.save(folder)
            (folder / CURVE).write_bytes(curve_picture(points, "held-out perplexity", self.recipe.name))
            manifest = Manifest(
                name=self.recipe.name,
                task=self.recipe.task,
                base=self.recipe.weights,
                created_at=datetime.now(UTC),
                licence="that of the corpus and of the base weights",
                data=self.corpus.names,
                metrics={name: round(value, 4) for name, value in figures.items()},
                labels={},
                settings=asdict(self.recipe) | noted | {"added_words": list(self.added)},
            )
            return described(folder, manifest)

    def _student(self, places: Places, cache: Path, report: Report) -> tuple[Student, tuple[str, ...]]:
        recipe = self.recipe
        if recipe.task == "clm":
            if recipe.add_words:
                raise BadInput("Words cannot be added to a decoder.", next_step="Leave out add_words.")
            direct = places.weights == places.base
            export = Export(places.base, direct, recipe.in_adapter, recipe.gguf, recipe.lora_alpha)
            export.check()
            return CausalStudent(load_decoder(places.weights, places.cache / "decoders"), recipe, export), ()
        weights, added = self._extended(load_backbone(places.weights), cache, report)
        head = earlier_head(places.weights)
        student = MaskedStudent(weights, recipe, recipe.mask_share, whole_words=recipe.whole_words, head=head)
        return student, added

    def _extended(self, weights: EncoderWeights, cache: Path, report: Report) -> tuple[EncoderWeights, tuple[str, ...]]:
        """The encoder with the corpus's words, which are looked for once and kept beside its tokens."""
        recipe = self.recipe
        if not recipe.add_words:
            return weights, ()
        if recipe.vocabulary != "trained":
            raise BadInput(
                "New words have to be trained.", next_step="Set vocabulary: trained, or leave out add_words."
            )
        if not weights.pieces:
            raise BadInput(
                f"Words cannot be added to the vocabulary of {recipe.weights}.",
                cause="It is no unigram vocabulary.",
                next_step="Leave out add_words, or build on e5-small or another encoder of the XLM-R family.",
            )
        tokenizer = build_tokenizer(weights)
        key = checkpoints.digest([self._digest, weights.pieces, recipe.add_words, recipe.add_words_least])
        path = cache / f"words-{key[:24]}.json"

        def look() -> None:
            if path.exists():
                return
            report(0, 0, "looking for words to add")
            texts = (text for text, held in self.corpus.read() if not held)
            found = domain_words(texts, tokenizer, recipe.add_words, recipe.add_words_least)
            cache.mkdir(parents=True, exist_ok=True)
            replace_file(path, json.dumps(found, ensure_ascii=False))

        from_main(look)
        words = [(str(word), float(share)) for word, share in json.loads(path.read_text(encoding="utf-8"))]
        return extended(weights, words, tokenizer), tuple(word for word, _ in words)
