from collections.abc import Sequence
from pathlib import Path

import numpy as np

from openteller.recommendation.product_vectors import KeptVectors


def test_each_text_is_embedded_once_by_each_encoder(tmp_path: Path) -> None:
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> np.ndarray:
        asked.extend(texts)
        return np.array([[len(text), 1] for text in texts], dtype=np.float32)

    file = tmp_path / "kept" / "vectors.safetensors"
    assert KeptVectors(file, "one", embed)(["a", "bb"]).tolist() == [[1, 1], [2, 1]]
    assert KeptVectors(file, "one", embed)(["ccc", "bb", "ccc"]).tolist() == [[3, 1], [2, 1], [3, 1]]
    assert asked == ["a", "bb", "ccc"]
    KeptVectors(file, "another", embed)(["a"])
    assert asked == ["a", "bb", "ccc", "a"]
    file.write_bytes(b"damaged")
    assert KeptVectors(file, "one", embed)(["a"]).tolist() == [[1, 1]]
    assert asked == ["a", "bb", "ccc", "a", "a"]
    assert [path.name for path in file.parent.iterdir()] == [file.name]
