"""The smallest set of sets that covers what all of them cover together. Pure, on bit masks."""

from __future__ import annotations

from collections.abc import Sequence

#: Branches looked at before the best answer so far is taken: about a tenth of a second.
BUDGET = 20_000


def exact(sets: Sequence[int], weights: Sequence[float], known: Sequence[int], budget: int = BUDGET) -> list[int]:
    """Fewest sets whose union is the union of all; among as few, those of the least weight.

    Branch and bound on the element that the fewest sets hold. With the budget spent, the best answer found so far,
    which is never worse than ``known``.

    :param sets: elements of each set as bits
    :param weights: of each set, 0 or more
    :param known: indices of sets that cover all, such as a greedy answer
    :returns: indices in order
    """
    whole = 0
    for one in sets:
        whole |= one
    search = _Search(sets, weights, list(known), budget)
    search.go(whole, [], 0.0)
    return sorted(search.best)


class _Search:
    def __init__(self, sets: Sequence[int], weights: Sequence[float], known: list[int], budget: int):
        self.sets, self.weights, self.budget = sets, weights, budget
        self.best = known
        self.cost = (len(known), sum(weights[n] for n in known))
        self.largest = max((one.bit_count() for one in sets), default=0)

    def go(self, missing: int, chosen: list[int], weight: float) -> None:
        """Try every set that holds the rarest missing element."""
        if not missing:
            if (len(chosen), weight) < self.cost:
                self.best, self.cost = list(chosen), (len(chosen), weight)
            return
        self.budget -= 1
        # So many more sets are needed at the least; a longer answer than the best is of no use.
        least = len(chosen) + -(-missing.bit_count() // self.largest)
        if self.budget < 0 or (least, weight) >= self.cost:
            return
        for number in self._holders(missing):
            chosen.append(number)
            self.go(missing & ~self.sets[number], chosen, weight + self.weights[number])
            chosen.pop()

    def _holders(self, missing: int) -> list[int]:
        """Sets that hold the missing element which the fewest hold; what covers most and weighs least first."""
        rarest: list[int] = []
        rest = missing
        while rest:
            bit = rest & -rest
            rest ^= bit
            holders = [n for n, one in enumerate(self.sets) if one & bit]
            if not rarest or len(holders) < len(rarest):
                rarest = holders
            if len(rarest) == 1:
                break
        return sorted(rarest, key=lambda n: (-(self.sets[n] & missing).bit_count(), self.weights[n]))
