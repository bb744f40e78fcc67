"""Every implementation of each protocol, by name. Add an engine here and the whole suite runs over it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import cast

import pytest

from openteller.runtime.llama_backend import LlamaGenerator
from openteller.runtime.onnx_backend import EncoderClassifier, EncoderEmbedder
from openteller.runtime.openai_backend import OpenAIEmbedder, OpenAIGenerator
from openteller.runtime.openai_hearing_backend import OpenAITranscriber
from openteller.runtime.openai_speech_backend import OpenAISynthesizer
from openteller.runtime.protocols import Classifier, Embedder, Reranker, Synthesizer, TextGenerator, Transcriber
from openteller.runtime.scripted import ScriptedClassifier, ScriptedEmbedder, ScriptedGenerator, ScriptedReranker
from openteller.runtime.scripted_hearing import ScriptedTranscriber
from openteller.runtime.scripted_speech import ScriptedSynthesizer
from openteller.runtime.use_backend import SentenceEncoder
from openteller.voice.audio_files import read_audio
from tests.runtime.engines import (
    EMBEDDING_SIZE,
    KEY,
    e5_encoder,
    exported_classifier,
    model_server,
    shipped_reranker,
    smollm2,
    weights,
)
from tests.runtime.hearers import transcription_server, whisper
from tests.runtime.speakers import kokoro, serve_speech
from tests.voice.sounds import EN_SAID, ZH_FILE, ZH_SAID


def _scripted_generator() -> AbstractContextManager[TextGenerator]:
    return nullcontext(ScriptedGenerator(["The sky is blue, 天空是蓝色的."] * 100))


@contextmanager
def _llama() -> Iterator[TextGenerator]:
    generator = LlamaGenerator(smollm2(), context=2048)
    yield generator
    generator.close()


@contextmanager
def _openai() -> Iterator[TextGenerator]:
    with model_server() as url:
        generator = OpenAIGenerator(url, "smollm2", KEY)
        yield generator
        generator.close()


def _scripted_embedder() -> AbstractContextManager[Embedder]:
    return nullcontext(ScriptedEmbedder())


@contextmanager
def _openai_embedder() -> Iterator[Embedder]:
    with model_server(embedding=True) as url:
        embedder = OpenAIEmbedder(url, "smollm2", EMBEDDING_SIZE, KEY, max_characters=120)
        yield embedder
        embedder.close()


def _onnx_embedder() -> AbstractContextManager[Embedder]:
    return nullcontext(EncoderEmbedder(e5_encoder()))


def _use_embedder() -> AbstractContextManager[Embedder]:
    return nullcontext(SentenceEncoder(weights("use-multilingual"), weights("use-multilingual-vocabulary")))


def _onnx_classifier() -> AbstractContextManager[Classifier]:
    return nullcontext(EncoderClassifier(e5_encoder(), "topic", temperature=2.0))


def _exported_classifier() -> AbstractContextManager[Classifier]:
    return nullcontext(exported_classifier())


def _scripted_classifier() -> AbstractContextManager[Classifier]:
    keywords = {"card": ["card", "卡"], "loan": ["loan", "mortgage", "贷款"], "greeting": ["hello", "你好"]}
    return nullcontext(ScriptedClassifier(keywords))


def _scripted_reranker() -> AbstractContextManager[Reranker]:
    return nullcontext(ScriptedReranker())


def _onnx_reranker() -> AbstractContextManager[Reranker]:
    return nullcontext(shipped_reranker())


def _scripted_synthesizer() -> AbstractContextManager[Synthesizer]:
    return nullcontext(ScriptedSynthesizer())


def _kokoro() -> AbstractContextManager[Synthesizer]:
    return nullcontext(kokoro())


@contextmanager
def _openai_synthesizer() -> Iterator[Synthesizer]:
    made = ScriptedSynthesizer()
    with serve_speech(made) as url:
        synthesizer = OpenAISynthesizer(url, "tones", made.voices, KEY)
        yield synthesizer
        synthesizer.close()


GENERATORS: dict[str, Callable[[], AbstractContextManager[TextGenerator]]] = {
    "scripted": _scripted_generator,
    "llama": _llama,
    "openai": _openai,
}
EMBEDDERS: dict[str, Callable[[], AbstractContextManager[Embedder]]] = {
    "scripted": _scripted_embedder,
    "openai": _openai_embedder,
    "onnx": _onnx_embedder,
    "use": _use_embedder,
}
# In which languages the weights under test tell related texts from unrelated ones; SmolLM2 knows English only.
EMBEDDER_LANGUAGES = {name: frozenset({"en"} if name == "openai" else {"en", "zh"}) for name in EMBEDDERS}
CLASSIFIERS: dict[str, Callable[[], AbstractContextManager[Classifier]]] = {
    "scripted": _scripted_classifier,
    "onnx": _onnx_classifier,
    "exported": _exported_classifier,
}
RERANKERS: dict[str, Callable[[], AbstractContextManager[Reranker]]] = {
    "scripted": _scripted_reranker,
    "onnx": _onnx_reranker,
}


def _scripted_transcriber() -> AbstractContextManager[Transcriber]:
    said = {True: ZH_SAID, False: EN_SAID}
    is_short = read_audio(ZH_FILE).seconds
    return nullcontext(
        ScriptedTranscriber(lambda audio: said[audio.seconds <= is_short] if audio.samples.any() else "")
    )


def _whisper() -> AbstractContextManager[Transcriber]:
    return nullcontext(whisper())


@contextmanager
def _openai_transcriber() -> Iterator[Transcriber]:
    with transcription_server() as server:
        transcriber = OpenAITranscriber(server.url, "whisper", KEY)
        yield transcriber
        transcriber.close()


TRANSCRIBERS: dict[str, Callable[[], AbstractContextManager[Transcriber]]] = {
    "scripted": _scripted_transcriber,
    "whisper": _whisper,
    "openai": _openai_transcriber,
}
SYNTHESIZERS: dict[str, Callable[[], AbstractContextManager[Synthesizer]]] = {
    "scripted": _scripted_synthesizer,
    "openai": _openai_synthesizer,
    "kokoro": _kokoro,
}


@pytest.fixture(scope="session", params=list(TRANSCRIBERS))
def transcriber(request: pytest.FixtureRequest) -> Iterator[Transcriber]:
    with TRANSCRIBERS[cast(str, request.param)]() as made:
        yield made


@pytest.fixture(scope="session", params=list(SYNTHESIZERS))
def synthesizer(request: pytest.FixtureRequest) -> Iterator[Synthesizer]:
    with SYNTHESIZERS[cast(str, request.param)]() as made:
        yield made


@pytest.fixture(scope="session", params=list(GENERATORS))
def generator(request: pytest.FixtureRequest) -> Iterator[TextGenerator]:
    with GENERATORS[cast(str, request.param)]() as made:
        yield made


@pytest.fixture(scope="session", params=list(EMBEDDERS))
def embedder(request: pytest.FixtureRequest) -> Iterator[Embedder]:
    with EMBEDDERS[cast(str, request.param)]() as made:
        yield made


@pytest.fixture
def embedder_languages(request: pytest.FixtureRequest, embedder: Embedder) -> frozenset[str]:
    return EMBEDDER_LANGUAGES[request.node.callspec.params["embedder"]]


@pytest.fixture(scope="session", params=list(CLASSIFIERS))
def classifier(request: pytest.FixtureRequest) -> Iterator[Classifier]:
    with CLASSIFIERS[cast(str, request.param)]() as made:
        yield made


@pytest.fixture(scope="session", params=list(RERANKERS))
def reranker(request: pytest.FixtureRequest) -> Iterator[Reranker]:
    with RERANKERS[cast(str, request.param)]() as made:
        yield made
