// SPDX-License-Identifier: GPL-3.0-or-later
// Fits a picture into the network's input, as mfn_addon/network/mfn.py does. A canvas' own
// resampling differs between browsers, and the network would see another picture than Python's:
// so areas are averaged here (OpenCV's INTER_AREA), or interpolated where a picture is enlarged
// (its INTER_LINEAR_EXACT, to the bit).

/** The longer side of the network's input, px, as in Python. */
export const LONG_SIDE = 320;
const STRIDE = 32;
const FINER = 2; // times finer than the network's input its patches see a picture, as in Python
const LARGEST_BLOCK = 11; // px: the sums of 121 bytes fit beside each other into a signed 32 bits
const PADDING = 114; // the grey that the network's normalisation turns into zero

export interface Letterbox {
  /** Input px a picture px. */
  scale: number;
  /** The input's size, multiples of its stride; the picture sits at its top left. */
  width: number;
  height: number;
  /** RGB, row by row. */
  pixels: Uint8Array;
}

/** A picture as the network takes it: faces are found in the one, patches cut from the other. */
export interface Fitted {
  image: Letterbox;
  finer: Letterbox;
}

/** Which source pixels make an output pixel along one axis, and with what weights. */
interface Taps {
  /** The first source pixel of each output pixel. */
  first: Int32Array;
  /** Where the weights of each output pixel start; one more than there are output pixels. */
  start: Int32Array;
  weights: Float32Array;
}

/** Reuses its buffers from frame to frame. */
export class Letterboxer {
  private columns: Taps = areaTaps(1, 1);
  private rows: Taps = areaTaps(1, 1);
  private key = "";
  private sums = new Float32Array(0);
  private out = new Uint8ClampedArray(0);
  private halves = new Uint8Array(0);

  /**
   * Both inputs, `image` with a longer side of `side` px; `rgba`: width x height x 4 bytes, at a
   * multiple of 4 in its buffer.
   */
  fitted(
    rgba: Uint8Array | Uint8ClampedArray,
    width: number,
    height: number,
    side: number,
  ): Fitted {
    if (Math.max(width, height) <= side) {
      const image = this.fit(rgba, width, height, side);
      return { image, finer: image };
    }
    const finer = this.fit(rgba, width, height, FINER * side, FINER * STRIDE);
    return { image: this.halved(finer), finer };
  }

  /** The means of squares of 2 px, halves rounded up. */
  private halved(finer: Letterbox): Letterbox {
    const { pixels } = finer;
    const [width, height] = [finer.width / FINER, finer.height / FINER];
    if (this.halves.length !== width * height * 3) this.halves = new Uint8Array(width * height * 3);
    const { halves } = this;
    const row = finer.width * 3;
    for (let y = 0, at = 0, above = 0; y < height; y++, above += 2 * row) {
      for (let x = 0, left = above; x < width; x++, left += 6) {
        for (let i = left; i < left + 3; i++) {
          const sum = pixels[i] + pixels[i + 3] + pixels[i + row] + pixels[i + row + 3];
          halves[at++] = (sum + 2) >> 2;
        }
      }
    }
    return { scale: finer.scale / FINER, width, height, pixels: halves };
  }

  /** An input with a longer side of `side` px, padded to multiples of `stride`. */
  private fit(
    rgba: Uint8Array | Uint8ClampedArray,
    width: number,
    height: number,
    side: number,
    stride = STRIDE,
  ): Letterbox {
    const scale = side / Math.max(width, height);
    const w = Math.max(1, roundHalfEven(width * scale));
    const h = Math.max(1, roundHalfEven(height * scale));
    const outWidth = Math.ceil(w / stride) * stride;
    const outHeight = Math.ceil(h / stride) * stride;
    const key = `${width}x${height}>${side}/${stride}`;
    if (key !== this.key) {
      const taps = scale < 1 ? areaTaps : linearTaps;
      this.columns = taps(width, w);
      this.rows = taps(height, h);
      this.sums = new Float32Array(w * 3);
      this.out = new Uint8ClampedArray(outWidth * outHeight * 3).fill(PADDING);
      this.key = key;
    }
    // A whole pixel in one read: half the time of a byte each. Red is the lowest byte, as every
    // machine that runs browsers is little-endian.
    const source = new Int32Array(rgba.buffer, rgba.byteOffset, width * height);
    // OpenCV rounds halves up where it interpolates and where it halves a picture; else it rounds
    // them to even, and so does a clamped array.
    const upwards = scale >= 1 || (w * 2 === width && h * 2 === height);
    const { sums, out } = this;
    const block = width / w;
    const whole = block === height / h && Number.isInteger(block) && block <= LARGEST_BLOCK;
    for (let y = 0; y < h; y++) {
      if (whole) this.averageBlocks(source, width, y, block);
      else this.sumRows(source, width, y);
      const at = y * outWidth * 3;
      if (upwards) for (let i = 0; i < sums.length; i++) out[at + i] = Math.floor(sums[i] + 0.5);
      else out.set(sums, at);
    }
    return { scale, width: outWidth, height: outHeight, pixels: new Uint8Array(out.buffer) };
  }

  /**
   * One output row where each of its pixels is the mean of a square of `block` px, as from 1280 to
   * 320 px: whole numbers, red and blue summed in one, take half the time that weights do.
   */
  private averageBlocks(source: Int32Array, width: number, y: number, block: number): void {
    const { sums } = this;
    const share = Math.fround(1 / (block * block)); // OpenCV's, a float
    let left = y * block * width;
    for (let out = 0; out < sums.length; out += 3, left += block) {
      let redBlue = 0;
      let green = 0;
      for (let r = 0, row = left; r < block; r++, row += width) {
        for (let from = row; from < row + block; from++) {
          const pixel = source[from];
          redBlue = (redBlue + (pixel & 0xff00ff)) | 0;
          green = (green + ((pixel >> 8) & 255)) | 0;
        }
      }
      sums[out] = share * (redBlue & 0xffff);
      sums[out + 1] = share * green;
      sums[out + 2] = share * (redBlue >> 16);
    }
  }

  /** One output row's weighted sums of the source rows that it covers. */
  private sumRows(source: Int32Array, width: number, y: number): void {
    const { sums } = this;
    const { first, start, weights } = this.columns;
    const { rows } = this;
    const columns = first.length;
    sums.fill(0);
    for (let r = rows.start[y]; r < rows.start[y + 1]; r++) {
      const rowWeight = rows.weights[r];
      const row = (rows.first[y] + r - rows.start[y]) * width;
      for (let x = 0, out = 0; x < columns; x++, out += 3) {
        let from = row + first[x];
        let red = 0;
        let green = 0;
        let blue = 0;
        for (let c = start[x]; c < start[x + 1]; c++) {
          const weight = weights[c];
          const pixel = source[from++];
          red += weight * (pixel & 255);
          green += weight * ((pixel >> 8) & 255);
          blue += weight * ((pixel >> 16) & 255);
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

/** Two neighbours by distance in steps of 1/256, pixel centres at halves, the border repeated. */
function linearTaps(from: number, to: number): Taps {
  return collect(to, (x) => {
    const at = Math.min(Math.max(((x + 0.5) * from) / to - 0.5, 0), from - 1);
    const first = Math.floor(at);
    const share = roundHalfEven((at - first) * 256) / 256;
    return { first, weights: share > 0 ? [1 - share, share] : [1] };
  });
}

function collect(to: number, at: (x: number) => { first: number; weights: number[] }): Taps {
  const all = Array.from({ length: to }, (_, x) => at(x));
  const start = new Int32Array(to + 1);
  all.forEach((tap, x) => (start[x + 1] = start[x] + tap.weights.length));
  return {
    first: Int32Array.from(all, (tap) => tap.first),
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
