"""The matrix products of a step and its update of many lanes, without anything around them."""

from collections.abc import Sequence
from itertools import pairwise

import torch

from agents.products import Product, product


def of_a_step(sizes: Sequence[int], lanes: int, batch: int) -> list[Product]:
    """Every product, ready to be called, in the layout of agents.networks."""
    factors = []
    for depth, (below, above) in enumerate(pairwise(sizes)):
        online, target = torch.randn(2, lanes, below + 1, above).unbind()
        seen, acting = (torch.randn(lanes, n, below + 1) for n in (batch, 1))
        errors = torch.randn(lanes, batch, above)
        if depth == len(sizes) - 2:  # the thin layer lies the other way round
            online, target, errors = (x.mT.contiguous() for x in (online, target, errors))
            factors += [(online, acting.mT), (target, seen.mT), (online, seen.mT), (errors, seen)]
            backward = (errors.mT, online[:, :, :-1])
        else:
            factors += [(acting, online), (seen, target), (seen, online), (seen.mT, errors)]
            backward = (errors, online[:, :-1].mT)
        if depth > 0:
            factors.append(backward)
    return [product(a, b, out=torch.bmm(a, b)) for a, b in factors]
