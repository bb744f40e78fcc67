"""Which model a folder of sherpa-onnx holds. The engine itself and its models are not installed where tests run."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from openteller.core.errors import ConfigurationError, MissingDependency
from openteller.runtime.sherpa_hearing_backend import SherpaTranscriber, model_files


def _folder(folder: Path, **files: bytes) -> Path:
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (("encoder-epoch-99__onnx", "decoder-epoch-99__onnx", "joiner-epoch-99__onnx"), "transducer"),
        (("base-encoder__onnx", "base-decoder__onnx"), "whisper"),
    ],
)
def test_several_files_are_told_by_their_names(tmp_path: Path, names: tuple[str, ...], kind: str) -> None:
    found, files = model_files(_folder(tmp_path, tokens__txt=b"a 0", **dict.fromkeys(names, b"x")))
    assert found == kind
    assert set(files) >= {"encoder", "decoder", "tokens"}


@pytest.mark.parametrize(
    ("mark", "kind"),
    [(b"sense_voice_ctc", "sense_voice"), (b"paraformer", "paraformer"), (b"zipformer2_ctc", "zipformer_ctc")],
)
def test_one_file_is_told_by_what_the_export_wrote(tmp_path: Path, mark: bytes, kind: str) -> None:
    content = b"\x08" * 90_000 + b"model_type\x12" + mark + b"\x00"
    folder = _folder(tmp_path, tokens__txt=b"a 0", model__onnx=b"", model__int8__onnx=content)
    found, files = model_files(folder)
    assert found == kind
    assert files["model"].endswith("model.int8.onnx")


@pytest.mark.parametrize(
    "files", [{}, {"model__onnx": b"paraformer"}, {"tokens__txt": b"", "model__onnx": b"who knows"}]
)
def test_another_folder_is_refused(tmp_path: Path, files: dict[str, bytes]) -> None:
    with pytest.raises(ConfigurationError, match="no speech model that is known"):
        SherpaTranscriber(_folder(tmp_path, **files))


@pytest.mark.skipif(find_spec("sherpa_onnx") is not None, reason="sherpa-onnx is installed")
def test_without_the_engine_it_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(MissingDependency, match="pip install sherpa-onnx"):
        SherpaTranscriber(_folder(tmp_path, tokens__txt=b"a 0", model__onnx=b"paraformer"))
