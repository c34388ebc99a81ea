// SPDX-License-Identifier: GPL-3.0-or-later
// Fits a picture into the network's input, as mfn_addon/network/mfn.py does. A canvas' own
// resampling differs between browsers, and the network would see another picture than Python's:
// so areas are averaged here (OpenCV's INTER_AREA), or interpolated where a picture is enlarged.

export const LONG_SIDE = 320;
const STRIDE = 32;
const PADDING = 114; // the grey that the network's normalisation turns into zero

export interface Letterbox {
  /** Input px a picture px. */
  scale: number;
  /** The input's size, multiples of 32; the picture sits at its top left. */
  width: number;
  height: number;
  /** RGB, row by row. */
  pixels: Uint8Array;
}

/** Which source pixels make an output pixel along one axis, and with what weights. */
interface Taps {
  first: Int32Array;
  count: Int32Array;
  start: Int32Array;
  weights: Float32Array;
}

/** Reuses its buffers from frame to frame. */
export class Letterboxer {
  private columns: Taps = areaTaps(1, 1);
  private rows: Taps = areaTaps(1, 1);
  private key = "";
  private sums = new Float32Array(0);
  private out = new Uint8Array(0);

  /** `rgba`: width x height x 4 bytes. */
  fit(rgba: Uint8Array | Uint8ClampedArray, width: number, height: number): Letterbox {
    const scale = LONG_SIDE / Math.max(width, height);
    const w = Math.max(1, roundHalfEven(width * scale));
    const h = Math.max(1, roundHalfEven(height * scale));
    const outWidth = Math.ceil(w / STRIDE) * STRIDE;
    const outHeight = Math.ceil(h / STRIDE) * STRIDE;
    const key = `${width}x${height}`;
    if (key !== this.key) {
      const taps = scale < 1 ? areaTaps : linearTaps;
      this.columns = taps(width, w);
      this.rows = taps(height, h);
      this.sums = new Float32Array(w * 3);
      this.out = new Uint8Array(outWidth * outHeight * 3).fill(PADDING);
      this.key = key;
    }
    // OpenCV's path for exactly half the size rounds halves up, all others to even.
    const halved = w * 2 === width && h * 2 === height;
    const round = halved ? (value: number) => Math.floor(value + 0.5) : roundHalfEven;
    for (let y = 0; y < h; y++) {
      this.sumRows(rgba, width, y);
      const at = y * outWidth * 3;
      for (let i = 0; i < this.sums.length; i++) this.out[at + i] = round(this.sums[i]);
    }
    return { scale, width: outWidth, height: outHeight, pixels: this.out };
  }

  /** One output row's weighted sums of the source rows that it covers. */
  private sumRows(rgba: Uint8Array | Uint8ClampedArray, width: number, y: number): void {
    const { columns, rows, sums } = this;
    sums.fill(0);
    for (let r = 0; r < rows.count[y]; r++) {
      const rowWeight = rows.weights[rows.start[y] + r];
      const row = (rows.first[y] + r) * width * 4;
      for (let x = 0, out = 0; x < columns.first.length; x++, out += 3) {
        let from = row + columns.first[x] * 4;
        const start = columns.start[x];
        const end = start + columns.count[x];
        let red = 0;
        let green = 0;
        let blue = 0;
        for (let c = start; c < end; c++, from += 4) {
          const weight = columns.weights[c];
          red += weight * rgba[from];
          green += weight * rgba[from + 1];
          blue += weight * rgba[from + 2];
        }
        sums[out] += rowWeight * red;
        sums[out + 1] += rowWeight * green;
        sums[out + 2] += rowWeight * blue;
      }
    }
  }
}

/** Each output pixel is the mean of the source's part that it covers. */
function areaTaps(from: number, to: number): Taps {
  const step = from / to;
  return collect(to, (x) => {
    const begin = x * step;
    const end = Math.min(begin + step, from);
    const first = Math.floor(begin + 1e-3);
    const last = Math.max(first + 1, Math.min(Math.ceil(end - 1e-3), from));
    const weights = [];
    for (let n = first; n < last; n++) {
      weights.push((Math.min(n + 1, end) - Math.max(n, begin)) / (end - begin));
    }
    return { first, weights };
  });
}

/** Two neighbours by distance, pixel centres at halves, the border repeated. */
function linearTaps(from: number, to: number): Taps {
  return collect(to, (x) => {
    const at = Math.min(Math.max(((x + 0.5) * from) / to - 0.5, 0), from - 1);
    const first = Math.floor(at);
    const share = at - first;
    return { first, weights: share > 0 ? [1 - share, share] : [1] };
  });
}

function collect(to: number, at: (x: number) => { first: number; weights: number[] }): Taps {
  const all = Array.from({ length: to }, (_, x) => at(x));
  const start = new Int32Array(to);
  for (let x = 1; x < to; x++) start[x] = start[x - 1] + all[x - 1].weights.length;
  return {
    first: Int32Array.from(all, (tap) => tap.first),
    count: Int32Array.from(all, (tap) => tap.weights.length),
    start,
    weights: Float32Array.from(all.flatMap((tap) => tap.weights)),
  };
}

/** As Python's round and OpenCV's cvRound: halves go to the even neighbour. */
function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
