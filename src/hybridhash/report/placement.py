"""Where names go so that they do not touch."""

from collections.abc import Sequence


def spread_out(positions: Sequence[float], gap: float) -> list[float]:
    """Move positions as little as possible so that neighbours are at least ``gap`` apart.

    Least squares under the order of the positions: after subtracting i * gap from the i-th in order it
    is isotonic regression, done by pooling adjacent violators.

    Args:
        positions: [N], in any order.
        gap: The least distance, in the same unit, 0 or more.

    Returns:
        [N] new positions, in the order of the input.
    """
    order = sorted(range(len(positions)), key=lambda index: positions[index])
    pools: list[tuple[float, int]] = []
    for step, index in enumerate(order):
        mean, size = positions[index] - step * gap, 1
        while pools and pools[-1][0] > mean:
            last_mean, last_size = pools.pop()
            mean = (last_mean * last_size + mean * size) / (last_size + size)
            size += last_size
        pools.append((mean, size))
    shifted = [mean for mean, size in pools for _ in range(size)]
    moved = list(positions)
    for step, index in enumerate(order):
        moved[index] = shifted[step] + step * gap
    return moved
