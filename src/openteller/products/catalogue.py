"""Reading product files: YAML lists of products, as a bank writes them.

Text is kept as written, because a person reads it; products/names.py folds names for matching.
Knows nothing about the database.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from openteller.core.errors import BadInput, NotFound, UnreadableFile
from openteller.core.yaml_text import read_yaml
from openteller.products.records import Product

_MAX_BYTES = 16 * 1024 * 1024


def read_products(folder: Path) -> list[Product]:
    """The products in all ``*.yaml`` files of `folder`, in file and line order.

    Raises:
        NotFound: no such folder, or no product file in it.
        UnreadableFile: a file is not YAML, not UTF-8 or larger than 16 MiB.
        BadInput: an entry is not a product, or two have the same id; the message names file and entry.
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise NotFound(f"There are no product files in {folder}.", next_step="Give a folder with *.yaml product lists.")
    products = [product for path in files for product in _read_file(path)]
    _require_unique(products)
    return products


def _read_file(path: Path) -> list[Product]:
    if path.stat().st_size > _MAX_BYTES:
        raise UnreadableFile(f"{path.name} is larger than 16 MiB.", next_step="Split it into several files.")
    try:
        entries = read_yaml(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UnreadableFile(
            f"{path.name} is not readable YAML.", cause=str(error), next_step="Correct the file and read it again."
        ) from error
    if not isinstance(entries, list):
        raise BadInput(f"{path.name} is not a list of products.", next_step="Begin each product with `- id: …`.")
    return [_product(path.name, number, entry) for number, entry in enumerate(entries, 1)]


def _product(file: str, number: int, entry: Any) -> Product:
    try:
        return Product.model_validate(entry)
    except ValidationError as error:
        name = entry.get("id", "") if isinstance(entry, dict) else ""
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the entry"
        raise BadInput(
            f"Product {number} {name} in {file} cannot be used.",
            cause=f"{place}: {first['msg']}.",
            next_step="Correct the entry and read the file again.",
        ) from error


def _require_unique(products: Iterable[Product]) -> None:
    seen: set[str] = set()
    for product in products:
        if product.id in seen:
            raise BadInput(f"Two products have the id {product.id}.", next_step="Give each product an id of its own.")
        seen.add(product.id)
