from openteller.recommendation.batch import offers_of
from openteller.recommendation.moments import unasked
from openteller.recommendation.recommender import Recommender
from tests.recommendation.given import ON, PRODUCTS, file
from tests.recommendation.test_rules import events


def test_a_batch_decides_as_for_one() -> None:
    kinds = [{"idle": 600_000}, {"spending": {"travel": 2_000}}, {"consent": False, "idle": 600_000}, {"card_use": 0.9}]
    files = []
    for number in range(300):
        made = file(**kinds[number % 4])  # type: ignore[arg-type]
        own = {"customer_id": f"C{number:06d}", "language": "en" if number % 3 else "zh"}
        files.append(made.model_copy(update={"customer": made.customer.model_copy(update=own)}))
    past = {"C000000": events("dismissed", 3), "C000004": events("shown", 1, 2, 3)}
    exhausted = frozenset({"CARD-TRAVEL"})
    found = {
        o.customer_id: o.offers for o in offers_of(Recommender(), files, PRODUCTS, ON, events=past, exhausted=exhausted)
    }
    assert len(found) == 300
    for one in files:
        customer = one.customer
        decision = Recommender().decide(
            one, unasked(), PRODUCTS, events=past.get(customer.customer_id, ()), exhausted=exhausted, on=ON,
            language=customer.language,
        )  # fmt: skip
        assert found[customer.customer_id] == decision.offers
    assert not any(offer.product_id == "CARD-TRAVEL" for offers in found.values() for offer in offers)
    assert found["C000002"] == ()
    assert list(offers_of(Recommender(), [], PRODUCTS, ON)) == []
