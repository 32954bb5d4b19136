// Draws the loudness of a recording under its picture. Colours are read from the page's, so both themes fit.

/** Keeps a canvas as wide as its place and in the page's colours, and draws peaks on it. */
export class Waveform {
  constructor(canvas) {
    this.canvas = canvas;
    this.peaks = null;
    this.durationMs = 0;
    new ResizeObserver(() => this.draw()).observe(canvas.parentElement);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    new MutationObserver(() => this.draw()).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  }

  /** Draw these from now on: bin_ms, low and high from -127 to 127, null where there is no sound at all. */
  show(peaks, durationMs) {
    [this.peaks, this.durationMs] = [peaks, durationMs];
    this.draw();
  }

  draw() {
    const { canvas, peaks } = this;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!width || !height) return;
    const sharpness = window.devicePixelRatio || 1;
    [canvas.width, canvas.height] = [Math.round(width * sharpness), Math.round(height * sharpness)];
    const pen = canvas.getContext("2d");
    pen.scale(sharpness, sharpness);
    const colours = getComputedStyle(canvas);
    const colour = (name) => colours.getPropertyValue(name).trim();
    pen.fillStyle = colour("--rule");
    pen.fillRect(0, Math.floor(height / 2), width, 1);
    if (!peaks || !this.durationMs) return;
    pen.fillStyle = colour("--recorded");
    const perDot = this.durationMs / width / peaks.bin_ms;
    for (let x = 0; x < width; x += 1) {
      const [low, high] = extremes(peaks, Math.floor(x * perDot), Math.ceil((x + 1) * perDot));
      if (high === null) {
        pen.clearRect(x, 0, 1, height);
        continue;
      }
      const top = (1 - stretched(high)) * height / 2;
      const bottom = (1 - stretched(low)) * height / 2;
      pen.fillRect(x, Math.floor(top), 1, Math.max(1, Math.round(bottom - top)));
    }
  }
}

function extremes(peaks, from, to) {
  let [low, high] = [null, null];
  for (let i = from; i < Math.min(to, peaks.low.length); i += 1) {
    if (peaks.low[i] === null) continue;
    if (high === null || peaks.high[i] > high) high = peaks.high[i];
    if (low === null || peaks.low[i] < low) low = peaks.low[i];
  }
  return [low, high];
}

// Speech is far below full scale: the square root lets it be seen, and keeps silence a line.
function stretched(value) {
  return Math.sign(value) * Math.sqrt(Math.abs(value) / 127) * 0.96;
}
