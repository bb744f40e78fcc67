"""Who had to do with which product when: the one form in which the recommender learns from the past.

    events ─▶ Interactions ─▶ matrix (customers, products) ─▶ candidates
                    └─▶ earlier(n): the same without each customer's last n ─▶ what is held out

Knows nothing about where events come from, and nothing about what a product is.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from openteller.core.errors import BadInput

Floats = NDArray[np.float32]
Indices = NDArray[np.intp]


@dataclass(frozen=True)
class Interactions:
    """Events, each customer's together and the oldest first.

    `customer` and `product` (events,) index `customers` and `products`; `at` (events,) is in seconds since 1970 UTC;
    `weight` (events,) is how much an event says, 1 for a plain one.
    """

    customers: tuple[str, ...]
    products: tuple[str, ...]
    customer: Indices
    product: Indices
    at: NDArray[np.float64]
    weight: Floats

    @classmethod
    def of(
        cls,
        events: Iterable[tuple[str, str, float, float]],
        products: Sequence[str] | None = None,
        customers: Sequence[str] | None = None,
    ) -> "Interactions":
        """Events as (customer, product, seconds since 1970, weight); those of one second stay in the order given.

        Args:
            events: any order.
            products: which there are, in this order; None: those that occur. Events of others are left out.
            customers: which there are, in this order; None: those that occur. Events of others are left out.

        Raises:
            BadInput: a moment or a weight is not finite, or a weight is negative.
        """
        rows = list(events)
        people = tuple(customers) if customers is not None else tuple(sorted({row[0] for row in rows}))
        things = tuple(products) if products is not None else tuple(sorted({row[1] for row in rows}))
        person, thing = ({name: place for place, name in enumerate(names)} for names in (people, things))
        known = [(person[c], thing[p], at, w) for c, p, at, w in rows if c in person and p in thing]
        table = np.array(known, dtype=np.float64).reshape(-1, 4)
        if not np.isfinite(table).all() or (table[:, 3] < 0).any():
            raise BadInput("An event has no finite moment, or a negative weight.", next_step="Correct the events.")
        table = table[np.lexsort((table[:, 2], table[:, 0]))]
        return cls(
            people, things, table[:, 0].astype(np.intp), table[:, 1].astype(np.intp), table[:, 2],
            table[:, 3].astype(np.float32),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.customer)

    @cached_property
    def steps_back(self) -> Indices:
        """(events,) how many events of the same customer came later; 0 for the last."""
        counts = np.bincount(self.customer, minlength=len(self.customers))
        return (np.cumsum(counts)[self.customer] - 1 - np.arange(len(self))).astype(np.intp)

    def matrix(self, decay: float = 1.0) -> sparse.csr_matrix:
        """(customers, products): the weights, each multiplied by `decay` to the power of its steps back, summed."""
        values = self.weight * np.float32(decay) ** self.steps_back
        shape = (len(self.customers), len(self.products))
        return sparse.csr_matrix((values.astype(np.float32), (self.customer, self.product)), shape=shape)

    def where(self, kept: NDArray[np.bool_]) -> "Interactions":
        """The events that `kept` (events,) says, of the same customers and products."""
        parts = (part[kept] for part in (self.customer, self.product, self.at, self.weight))
        return Interactions(self.customers, self.products, *parts)  # type: ignore[arg-type]

    def earlier(self, steps: int) -> "Interactions":
        """Without each customer's last `steps` events."""
        return self.where(self.steps_back >= steps)

    def target(self, steps: int) -> Indices:
        """(customers,) the product of each customer's event `steps` back; -1 where there is none."""
        found = np.full(len(self.customers), -1, dtype=np.intp)
        there = self.steps_back == steps
        found[self.customer[there]] = self.product[there]
        return found

    def of_customers(self, first: int, last: int) -> "Interactions":
        """The customers from place `first` to before `last`, with their events."""
        start, end = np.searchsorted(self.customer, (first, last))
        return Interactions(
            self.customers[first:last], self.products, self.customer[start:end] - first, self.product[start:end],
            self.at[start:end], self.weight[start:end],
        )  # fmt: skip

    def since(self, moment: float) -> "Interactions":
        """The events from `moment` (seconds since 1970) on."""
        return self.where(self.at >= moment)

    def until(self, moment: float) -> "Interactions":
        """The events before `moment` (seconds since 1970)."""
        return self.where(self.at < moment)
