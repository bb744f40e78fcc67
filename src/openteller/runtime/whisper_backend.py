"""Runs Whisper (Radford et al. 2022) with CTranslate2: Chinese and English, one utterance at a time.

Whisper was trained on windows of 30 s, and encoding one takes three quarters of the time of a short utterance. Here the
window ends `_EXTRA` seconds after the sound, which made no more mistakes on sentences and takes a quarter of the time; what
then looks wrong (a loop, more words than time, the hot words themselves) is done again with the whole window.
Timestamps are generated and thrown away: without them more single words went wrong in short windows.

What is not covered: two languages in one utterance (the stronger is written), who speaks, times of words. Knows nothing
about microphones, levels or the bank.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Semaphore
from typing import Any

import numpy as np

from openteller.core.errors import MissingDependency, ModelUnavailable
from openteller.core.text import han_share
from openteller.runtime import whisper_text
from openteller.runtime.hearing_limits import LANGUAGES, check
from openteller.runtime.protocols import Audio, Floats, Recognition

_RATE = 16_000
_FRAMES = 100  # mel frames a second
_WINDOW = 30  # seconds that Whisper was trained on
_EXTRA, _EXTRA_PROMPTED = (
    5.0,
    8.0,
)  # seconds of window after the sound; hot words in a shorter one make it say all twice
_CHUNK, _SEARCHED = 28.0, 10.0  # seconds: longer sound is cut at the quietest place of the last 10 s of 28
_SHORTEST = 400  # samples: one frame of the spectrogram
_TOKENS_A_SECOND, _TOKENS_AT_LEAST, _LONGEST = 16, 24, 448
_PROMPT_TOKENS = 100
_SENTENCE = 2.0  # seconds from which the words help each other
_DOUBTFUL = -1.0  # mean log-probability of a token below which faster-whisper, too, doubts it
_SILENT = 0.6  # probability of no speech from which doubtful words are none
_TEMPERATURES = (0.4, 0.8)


@dataclass(frozen=True)
class _Said:
    """One attempt at one chunk. logprob: of its tokens on average; no_speech: 0 to 1."""

    text: str
    logprob: float
    no_speech: float
    tokens: int
    suspect: bool


class WhisperTranscriber:
    """A Transcriber on a folder in CTranslate2's layout. Safe to share between threads; they wait for each other.

    Args:
        folder: model.bin, config.json, tokenizer.json and a vocabulary (whisper_layout.py finds or makes one).
        threads: of the engine; more than the machine has free slows all down.
        workers: utterances at a time.
        beam: width of the beam search; 1 is greedy. A single word needs it.
        beam_of_sentences: … for what lasts 2 s and longer.

    Raises:
        MissingDependency: faster-whisper is not installed.
        ModelUnavailable: the folder holds no model that can be loaded.
    """

    rate = _RATE

    def __init__(
        self, folder: Path, *, threads: int = 1, workers: int = 1, beam: int = 5, beam_of_sentences: int = 5
    ) -> None:
        self._model, self._tokenizer, self._spectrogram = _load(folder, threads, workers)
        self._special = {name: self._tokenizer.token_to_id(f"<|{name}|>") for name in _SPECIAL}
        self._beams, self._turn = (beam, beam_of_sentences), Semaphore(workers)

    def transcribe(self, audio: Audio, *, language: str | None = None, hotwords: Sequence[str] = ()) -> Recognition:
        """The words of `audio`, Chinese in simplified characters.

        Raises:
            BadInput: audio at another rate, samples that are no numbers, another language than zh and en.
        """
        check(audio, _RATE, language)
        said: list[_Said] = []
        if len(audio.samples) < _SHORTEST or not np.any(audio.samples):
            return Recognition("", language or "zh", 0.0, 1.0)
        with self._turn:
            for chunk in _chunks(audio.samples):
                features = self._spectrogram(chunk)[:, :-1]
                encoded = self._encode(features, len(chunk) / _RATE + (_EXTRA_PROMPTED if hotwords else _EXTRA))
                language = language or self._language(encoded)
                said.append(self._best(features, encoded, len(chunk) / _RATE, language, hotwords))
        return _joined(said, language or "zh")

    def _best(self, features: Floats, encoded: Any, seconds: float, language: str, hotwords: Sequence[str]) -> _Said:
        """The first attempt that looks right; else the most probable that is no loop."""
        attempts = [self._attempt(encoded, seconds, language, hotwords)]
        if attempts[0].suspect:
            encoded = self._encode(features, _WINDOW)
            attempts.append(self._attempt(encoded, seconds, language, hotwords))
            if attempts[1].suspect and hotwords:
                attempts.append(self._attempt(encoded, seconds, language))
        if all(whisper_text.loops(one.text) for one in attempts):
            attempts += [self._attempt(encoded, seconds, language, temperature=warmth) for warmth in _TEMPERATURES]
        sound = [one for one in attempts if not whisper_text.loops(one.text)]
        if not sound:
            best = max(attempts, key=lambda one: one.logprob)
            return replace(best, text=whisper_text.unlooped(best.text), logprob=min(best.logprob, _DOUBTFUL))
        return max(sound, key=lambda one: (not one.suspect, one.logprob))

    def _attempt(
        self,
        encoded: Any,
        seconds: float,
        language: str,
        hotwords: Sequence[str] = (),
        temperature: float = 0.0,
    ) -> _Said:
        words = _of(language, hotwords)
        prompt = self._prompt(language, words)
        most = min(_LONGEST, len(prompt) + _TOKENS_AT_LEAST + int(seconds * _TOKENS_A_SECOND))
        search: dict[str, Any] = {"beam_size": self._beams[seconds >= _SENTENCE]}
        if temperature:
            search = {"beam_size": 1, "sampling_topk": 0, "sampling_temperature": temperature, "num_hypotheses": 5}
        result = self._model.generate(
            encoded, [prompt], max_length=most, return_scores=True, return_no_speech_prob=True, **search
        )[0]
        tokens = result.sequences_ids[0]
        logprob = result.scores[0] * len(tokens) / (len(tokens) + 1)
        text = whisper_text.once(whisper_text.clean(self._text(tokens), language), seconds)
        if whisper_text.is_invented(text, result.no_speech_prob) or (
            result.no_speech_prob > _SILENT and logprob < _DOUBTFUL
        ):
            return _Said("", logprob, max(result.no_speech_prob, _SILENT), len(tokens), suspect=False)
        # Words of little probability are left: the whole window gave surer ones that were further off.
        faults = (whisper_text.loops(text), whisper_text.is_hasty(text, seconds), whisper_text.is_prompt(text, words))
        suspect = any(faults)
        return _Said(text, logprob, result.no_speech_prob, len(tokens), suspect)

    def _encode(self, features: Floats, seconds: float) -> Any:
        """The encoder's output for `features` followed by silence, in a window of so many seconds."""
        import ctranslate2

        frames = min(math.ceil(seconds * _FRAMES / 2) * 2, _WINDOW * _FRAMES)
        features = features[:, :frames]
        silence = float(features.max()) - 2.0  # the floor of the spectrogram, 80 dB below its loudest place
        window = np.pad(features, ((0, 0), (0, frames - features.shape[1])), constant_values=silence)
        return self._model.encode(ctranslate2.StorageView.from_array(np.ascontiguousarray(window[None], np.float32)))

    def _language(self, encoded: Any) -> str:
        if not self._model.is_multilingual:
            return "en"
        found = dict(self._model.detect_language(encoded)[0])
        return max(LANGUAGES, key=lambda language: found.get(f"<|{language}|>", 0.0))

    def _prompt(self, language: str, words: Sequence[str]) -> list[int]:
        special = self._special
        start = [special["startoftranscript"]]
        if self._model.is_multilingual:
            start += [special[language], special["transcribe"]]
        context: list[int] = []
        for word in words:
            more = self._tokenizer.encode(_SEPARATOR[language] + word, add_special_tokens=False).ids
            if len(context) + len(more) > _PROMPT_TOKENS:
                break
            context += more
        return [special["startofprev"], *context, *start] if context else start

    def _text(self, tokens: Sequence[int]) -> str:
        end = self._special["endoftext"]
        return str(self._tokenizer.decode([token for token in tokens if token < end]))


_SPECIAL = ("startoftranscript", "startofprev", "endoftext", "transcribe", *LANGUAGES)
_SEPARATOR = {"zh": "、", "en": ", "}


def _load(folder: Path, threads: int, workers: int) -> tuple[Any, Any, Any]:
    try:
        import ctranslate2
        from faster_whisper.feature_extractor import FeatureExtractor
        from tokenizers import Tokenizer
    except ImportError as error:
        raise MissingDependency(
            "Recognising speech needs packages that are not installed.",
            cause=f"{error.name} cannot be imported.",
            next_step="Run `pip install 'openteller[voice]'`.",
        ) from error
    try:
        model = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="int8", intra_threads=threads, inter_threads=workers
        )
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        return model, tokenizer, FeatureExtractor(feature_size=model.n_mels)
    # CTranslate2 raises RuntimeError and ValueError, tokenizers a bare Exception.
    except Exception as error:
        raise ModelUnavailable(
            f"The speech model in {folder} cannot be loaded.",
            cause=str(error)[:200],
            next_step="Name a folder in CTranslate2's layout of Whisper, with its tokenizer.json.",
        ) from error


def _chunks(samples: Floats) -> Iterator[Floats]:
    """`samples` in pieces of at most 28 s."""
    longest, searched, grain = int(_CHUNK * _RATE), int(_SEARCHED * _RATE), _RATE // 5
    while len(samples) > longest:
        part = np.square(samples[longest - searched : longest]).reshape(-1, grain).mean(axis=1)
        cut = longest - searched + int(part.argmin()) * grain + grain // 2
        yield samples[:cut]
        samples = samples[cut:]
    if len(samples) >= _SHORTEST:
        yield samples


def _of(language: str, words: Sequence[str]) -> list[str]:
    return [word.strip() for word in words if word.strip() and (han_share(word) > 0) == (language == "zh")]


def _joined(said: Sequence[_Said], language: str) -> Recognition:
    words = [one for one in said if one.text]
    if not words:
        return Recognition("", language, 0.0, max((one.no_speech for one in said), default=1.0))
    tokens = sum(one.tokens for one in words)
    logprob = sum(one.logprob * one.tokens for one in words) / max(tokens, 1)
    text = ("" if language == "zh" else " ").join(one.text for one in words)
    return Recognition(text, language, min(1.0, math.exp(logprob)), min(one.no_speech for one in words))
