"""A Whisper of two layers with the real one's tokens, and clips of tones to teach it: made in a moment."""

import csv
import shutil
from pathlib import Path

import numpy as np
import soundfile
import torch
from transformers import GenerationConfig, WhisperConfig, WhisperForConditionalGeneration

from openteller.runtime.catalogue import Catalogue

RATE = 16_000
WORDS = ("余额", "贷款", "利率", "存款", "转账", "汇款", "账单", "客服", "密码", "股票")


def write_tiny(folder: Path, catalogue: Catalogue) -> Path:
    """The folder of the model, in Hugging Face layout."""
    torch.manual_seed(7)
    config = WhisperConfig(
        vocab_size=51865, d_model=32, encoder_layers=2, decoder_layers=2, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64,
        init_std=0.1, bos_token_id=50257, eos_token_id=50257, pad_token_id=50257, decoder_start_token_id=50258,
    )  # fmt: skip
    model = WhisperForConditionalGeneration(config)
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        suppress_tokens=list(range(50258, 50363)), begin_suppress_tokens=[220, 50257],
        lang_to_id={"<|en|>": 50259, "<|zh|>": 50260},
    )  # fmt: skip
    model.save_pretrained(folder)
    shutil.copy(catalogue.locate("whisper-base-tokenizer"), folder / "tokenizer.json")
    return folder


def tone(path: Path, pitch: float, seconds: float = 0.4) -> Path:
    """A file with a tone."""
    times = np.arange(int(seconds * RATE)) / RATE
    soundfile.write(path, 0.3 * np.sin(2 * np.pi * pitch * times).astype(np.float32), RATE)
    return path


def write_clips(folder: Path) -> Path:
    """A folder with a clip a word, a tone of its own each, and its table."""
    folder.mkdir(parents=True)
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as table:
        rows = csv.writer(table)
        rows.writerow(["file", "text", "speaker"])
        for i, word in enumerate(WORDS):
            tone(folder / f"{i}.wav", 200 + 150 * i)
            rows.writerow([f"{i}.wav", word, "ab"[i % 2]])
    return folder
