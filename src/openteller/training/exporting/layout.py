"""A trained encoder in Hugging Face layout: config.json, model.safetensors and a tokenizer that transformers loads.

Our heads sit on the mean of the tokens, which no stock class of transformers does: such a model is written as BertModel with
its heads beside it (heads.safetensors), and README.md has the three lines that join them. A model whose only head looks at
each token is written as BertForTokenClassification. Knows nothing about ONNX.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from safetensors.numpy import save_file
from tokenizers import normalizers
from transformers import BertConfig

from openteller.registry.manifest import CARD, Manifest
from openteller.runtime.encoder_graph import LinearHead
from openteller.runtime.exported import MODEL_FILES
from openteller.runtime.loader import TOKEN_HEADS
from openteller.runtime.model_ids import WEIGHTS
from openteller.runtime.tokenizer import build_tokenizer
from openteller.training.backbone import bert_config
from openteller.training.trained import HeadKind, TrainedEncoder

TOKENIZER = "tokenizer.json"
HEADS = "heads.safetensors"


def write_layout(model: TrainedEncoder, folder: Path) -> None:
    """Write everything but the ONNX files and the manifest."""
    _write_model(model, folder)
    arrays = {
        f"{name}.{part}": getattr(head, part) for name, head in model.heads.items() for part in ("weight", "bias")
    }
    if arrays:
        save_file(arrays, folder / HEADS)
    _write_tokenizer(model, folder)
    (folder / CARD).write_text(_readme(model.manifest, _is_tagger(model.heads)), encoding="utf-8")


def _is_tagger(heads: Mapping[str, LinearHead]) -> bool:
    return bool(heads) and heads.keys() <= TOKEN_HEADS


def _write_model(model: TrainedEncoder, folder: Path) -> None:
    """The encoder, adapters merged, with the head if a stock class has it."""
    config = bert_config(model.weights, float(model.manifest.settings.get("dropout", 0.1)))
    _describe(config, model)
    arrays = dict(model.weights.tensors)
    config.architectures = ["BertModel"]
    if _is_tagger(model.heads):
        (head,) = model.heads.values()
        arrays = {f"bert.{name}": array for name, array in arrays.items()}
        arrays |= {"classifier.weight": head.weight, "classifier.bias": head.bias}
        config.architectures = ["BertForTokenClassification"]
    save_file(arrays, folder / WEIGHTS, metadata={"format": "pt"})
    config.save_pretrained(folder)


def _describe(config: BertConfig, model: TrainedEncoder) -> None:
    """What config.json says of heads: by transformers' names when there is one, and of all of them by ours."""
    config.bos_token_id, config.eos_token_id = (model.weights.special[name] for name in ("bos", "eos"))
    if len(model.heads) == 1:
        (name,) = model.heads
        config.id2label = dict(enumerate(model.manifest.labels[name]))
        config.label2id = {label: i for i, label in config.id2label.items()}
        if model.kind(name) is not HeadKind.TOKENS:
            one = model.kind(name) is HeadKind.ONE
            config.problem_type = "single_label_classification" if one else "multi_label_classification"
    config.openteller = {
        "pooling": "mean of the tokens, special ones included",
        "text": "folded: NFKC, simplified Chinese characters, lower case (openteller.core.text.fold)",
        "heads": {
            name: {"on": "each token" if head.per_token else "the mean", "kind": model.kind(name).value}
            for name, head in model.heads.items()
        },
    }


def _write_tokenizer(model: TrainedEncoder, folder: Path) -> None:
    tokenizer = build_tokenizer(model.weights, model.max_tokens)
    # Whoever loads it elsewhere will not fold; of folded text this changes nothing.
    lower = normalizers.Lowercase()
    own = tokenizer.normalizer
    tokenizer.normalizer = normalizers.Sequence([own, lower]) if own else lower
    ids = model.weights.special
    roles = {"bos": "bos", "eos": "eos", "unk": "unk", "pad": "pad", "cls": "bos", "sep": "eos", "mask": "mask"}
    special = {f"{role}_token": tokenizer.id_to_token(ids[ours]) for role, ours in roles.items() if ours in ids}
    settings = special | {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": model.max_tokens,
        "model_input_names": ["input_ids", "attention_mask"],
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n", encoding="utf-8")
    tokenizer.save(str(folder / TOKENIZER))


def _readme(manifest: Manifest, tagger: bool) -> str:
    kind = "BertForTokenClassification" if tagger else "BertModel"
    lines = [
        f"# {manifest.name}",
        "",
        f"Exported from an artefact of task {manifest.task}, trained on {manifest.base}. Licence: {manifest.licence}.",
        "",
        "Fold texts first, as training did (NFKC, simplified Chinese characters, lower case).",
        "",
        "```python",
        f"from transformers import AutoTokenizer, {kind}",
        "tokenizer = AutoTokenizer.from_pretrained(folder)",
    ]
    if tagger:
        lines += ["model = BertForTokenClassification.from_pretrained(folder)", "```"]
    else:
        lines += _joining(manifest)
    return "\n".join([*lines, "", *_files(), ""])


def _joining(manifest: Manifest) -> list[str]:
    """How the heads are put on the encoder."""
    lines = [
        "encoder = BertModel.from_pretrained(folder, add_pooling_layer=False)",
        "batch = tokenizer(texts, padding=True, truncation=True, return_tensors='pt')",
        "hidden = encoder(**batch).last_hidden_state",
        "mask = batch['attention_mask'].unsqueeze(-1)",
        "mean = (hidden * mask).sum(1) / mask.sum(1)  # L2-normalised it is the embedding",
    ]
    if manifest.labels:
        lines += [
            "from safetensors.torch import load_file",
            f"heads = load_file(f'{{folder}}/{HEADS}')",
        ]
        for name in manifest.labels:
            source = "hidden" if name in TOKEN_HEADS else "mean"
            lines.append(f"{name} = {source} @ heads['{name}.weight'].T + heads['{name}.bias']")
    return [
        *lines,
        "```",
        "",
        "The heads sit on the mean of the tokens: `AutoModelForSequenceClassification` cannot hold them.",
    ]


def _files() -> list[str]:
    return [
        f"`{MODEL_FILES['fp32']}` and `{MODEL_FILES['int8']}` give every head and `embedding` from `input_ids` and",
        "`attention_mask`; OpenTeller opens this folder with `runtime.exported.open_exported`. `parity.json` says how they",
        "compare with the trained model. `manifest.json` has the SHA-256 of each file.",
    ]
