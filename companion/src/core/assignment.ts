// SPDX-License-Identifier: GPL-3.0-or-later
// The exact assignment of few things to few others: mfn_addon/track/assignment.py.

const IMPOSSIBLE = 1e5;

/**
 * The pairing of rows with columns whose total cost is least: as many pairs as possible below
 * 1e5, then the cheapest. Shortest augmenting paths (Jonker and Volgenant, 1987), O(n^3).
 */
export function assign(cost: number[][]): [row: number, column: number][] {
  const rows = cost.length;
  const columns = rows ? cost[0].length : 0;
  if (!rows || !columns) return [];
  if (rows > columns) {
    const turned = cost[0].map((_, column) => cost.map((row) => row[column]));
    return byRow(assign(turned).map(([column, row]) => [row, column]));
  }
  const rowPrice = new Float64Array(rows + 1);
  const columnPrice = new Float64Array(columns + 1);
  const rowOf = new Int32Array(columns + 1); // 1-based; column 0 is where a new row enters
  for (let row = 1; row <= rows; row++) {
    rowOf[0] = row;
    const reached = new Uint8Array(columns + 1);
    const distance = new Float64Array(columns + 1).fill(Infinity);
    const before = new Int32Array(columns + 1);
    let column = 0;
    while (rowOf[column]) {
      reached[column] = 1;
      const here = rowOf[column];
      let nearest = 0;
      for (let open = 1; open <= columns; open++) {
        if (reached[open]) continue;
        const finite = Math.min(cost[here - 1][open - 1], IMPOSSIBLE);
        const reduced = finite - rowPrice[here] - columnPrice[open];
        if (reduced < distance[open]) {
          distance[open] = reduced;
          before[open] = column;
        }
        if (!nearest || distance[open] < distance[nearest]) nearest = open;
      }
      const step = distance[nearest];
      for (let each = 0; each <= columns; each++) {
        if (reached[each]) {
          rowPrice[rowOf[each]] += step;
          columnPrice[each] -= step;
        } else {
          distance[each] -= step;
        }
      }
      column = nearest;
    }
    while (column) {
      rowOf[column] = rowOf[before[column]];
      column = before[column];
    }
  }
  const pairs: [number, number][] = [];
  for (let column = 1; column <= columns; column++) {
    const row = rowOf[column] - 1;
    if (row >= 0 && cost[row][column - 1] < IMPOSSIBLE) pairs.push([row, column - 1]);
  }
  return byRow(pairs);
}

function byRow(pairs: [number, number][]): [number, number][] {
  return pairs.sort((a, b) => a[0] - b[0]);
}
