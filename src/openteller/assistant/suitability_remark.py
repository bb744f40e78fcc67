"""What the suitability wall has to say when a customer asks about an investment: a remark that goes with the answer.

The answer itself stays: rates and fees are public. Nothing is said where the product suits, or puts no money at risk.
The remark needs no consent to personalisation: it holds back and recommends nothing. Knows nothing about storing.
"""

from collections.abc import Callable, Iterator
from datetime import date

from openteller.assistant.answering import Shelf
from openteller.assistant.wording import Say, say
from openteller.core.errors import NotFound, Unavailable
from openteller.core.records import Answer, Understanding
from openteller.customers.behaviour import CustomerFile
from openteller.products.records import Product
from openteller.products.suitability import Approach, Verdict, suitable
from openteller.recommendation.matching import case_of

_AT_MOST = 2
_NAMED_FROM = 0.5


def remark_on(
    answer: Answer,
    understanding: Understanding,
    shelf: Shelf,
    file: Callable[[], CustomerFile],
    language: str,
    on: date,
    zone: str,
) -> str:
    """The remark, to be put after the answer; empty when there is none to make.

    Args:
        answer: as found; its citations say which product page it comes from.
        understanding: of the inquiry; its entities name products.
        shelf: the products on sale, with the grades that count today.
        file: reads the customer; called only when an investment is asked about.
        language: of the reply, ``zh`` or ``en``.
        on: today, in the bank's time zone `zone`.
        zone: IANA name of that zone.
    """
    products = [shelf.products[name] for name in _asked_about(answer, understanding) if name in shelf.products]
    investments = [product for product in products if product.invests][:_AT_MOST]
    if not investments:
        return ""
    try:
        known = file()
    except (NotFound, Unavailable):
        remarks = [_said(Say.SUITABILITY_UNKNOWN, product, language) for product in investments]
    else:
        remarks = [text for product in investments if (text := _remark(product, known, language, on, zone))]
    return "".join(f"\n{remark}" for remark in remarks)


def _asked_about(answer: Answer, understanding: Understanding) -> Iterator[str]:
    """Ids of the products that the customer named, or whose page the answer comes from; each once."""
    named = [e.value for e in understanding.entities if e.type == "product" and e.probability >= _NAMED_FROM]
    pages = [c.document_id.split(":")[1] for c in answer.citations if c.document_id.startswith("product:")]
    yield from dict.fromkeys((*named, *pages))


def _remark(product: Product, file: CustomerFile, language: str, on: date, zone: str) -> str:
    verdict = suitable(case_of(file, product, on, Approach.ASKED, zone=zone))
    if verdict.outcome is Verdict.ALLOWED:
        return ""
    what = Say.NOT_SUITABLE if verdict.outcome is Verdict.BLOCKED else Say.SUITABLE_IF_CONFIRMED
    return _said(what, product, language, verdict.reason(language))


def _said(what: Say, product: Product, language: str, reason: str = "") -> str:
    return say(what, language, product=product.name.of(language), reason=reason)
