"""From a name to a language model that llama.cpp runs: weights of the catalogue, or what training a decoder wrote.

An artefact of training has an adapter beside the catalogue's GGUF file, or a GGUF file of its own, and the chat template
that it was tuned with. Knows nothing about training or prompts.
"""

from openteller.core.errors import ModelUnavailable
from openteller.registry.manifest import read_manifest
from openteller.runtime.catalogue import Catalogue
from openteller.runtime.llama_backend import LlamaGenerator

ADAPTER, MODEL, TEMPLATE = "adapter.gguf", "model.gguf", "chat_template.jinja"


def open_generator(name: str, catalogue: Catalogue, threads: int = 1) -> LlamaGenerator:
    """The language model called `name`: an entry of the catalogue, or an artefact's name or folder.

    Raises:
        NotFound: nothing is called so.
        ModelUnavailable: a file is missing or damaged, or the model was not written for llama.cpp.
        MissingDependency: xllamacpp is not installed.
    """
    folder = catalogue.artefact(name)
    if folder is None:
        path = catalogue.locate(name)
        if path.suffix == ".safetensors":
            raise _not_written(name)
        return LlamaGenerator(path, threads=threads)
    files = read_manifest(folder).files
    template = (folder / TEMPLATE).read_text(encoding="utf-8") if TEMPLATE in files else None
    if MODEL in files:
        return LlamaGenerator(folder / MODEL, template=template, threads=threads)
    if ADAPTER in files:
        base = catalogue.locate(catalogue.origin(name))
        return LlamaGenerator(base, adapter=folder / ADAPTER, template=template, threads=threads)
    raise _not_written(name)


def _not_written(name: str) -> ModelUnavailable:
    return ModelUnavailable(
        f"{name} was not written for llama.cpp.",
        cause=f"It has neither {ADAPTER} nor {MODEL}.",
        next_step="Train it with gguf: auto, convert it with llama.cpp's convert_hf_to_gguf.py and name the file in "
        "models.yaml, or serve its folder with vLLM and set OPENTELLER_LLM_URL to that server.",
    )
