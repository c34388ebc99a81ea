# SPDX-License-Identifier: GPL-3.0-or-later
"""The exact assignment of few things to few others (at most 32 faces)."""

from __future__ import annotations

import numpy as np


def assign(cost: np.ndarray, impossible: float = 1e5) -> list[tuple[int, int]]:
    """The pairing of rows with columns whose total cost is least: as many pairs as possible
    below `impossible`, then the cheapest. Shortest augmenting paths (Jonker and Volgenant,
    1987), in O(n^3).

    Args:
        cost: (rows, columns), finite or inf. At or above `impossible`, a pair is never made.
        impossible: far above any sum of possible costs.

    Returns:
        (row, column) of each pair, by rows.
    """
    rows, columns = cost.shape
    if not rows or not columns:
        return []
    if rows > columns:
        return sorted((row, column) for column, row in assign(cost.T, impossible))
    finite = np.minimum(cost, impossible).astype(np.float64)
    row_price, column_price = np.zeros(rows + 1), np.zeros(columns + 1)
    row_of = np.zeros(columns + 1, int)  # 1-based; column 0 is where a new row enters
    for row in range(1, rows + 1):
        row_of[0] = row
        reached = np.zeros(columns + 1, bool)
        distance = np.full(columns + 1, np.inf)
        before = np.zeros(columns + 1, int)
        column = 0
        while row_of[column]:
            reached[column] = True
            here = row_of[column]
            open_columns = np.flatnonzero(~reached[1:]) + 1
            reduced = finite[here - 1, open_columns - 1] - row_price[here]
            reduced = reduced - column_price[open_columns]
            shorter = reduced < distance[open_columns]
            distance[open_columns[shorter]] = reduced[shorter]
            before[open_columns[shorter]] = column
            nearest = open_columns[np.argmin(distance[open_columns])]
            step = distance[nearest]
            row_price[row_of[reached]] += step
            column_price[reached] -= step
            distance[~reached] -= step
            column = nearest
        while column:
            row_of[column] = row_of[before[column]]
            column = before[column]
    pairs = [(int(row_of[column]) - 1, column - 1) for column in range(1, columns + 1)]
    return sorted(pair for pair in pairs if pair[0] >= 0 and cost[pair] < impossible)
