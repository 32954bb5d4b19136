// The small picture above the place that is pointed at: one tile of the recording's sheet.

export class Thumbnail {
  constructor(box, tile, label) {
    [this.box, this.tile, this.label] = [box, tile, label];
    this.board = null;
  }

  /** Use this sheet from now on: address, tile sizes, columns, the time of each tile. */
  use(board) {
    this.board = board;
    this.tile.style.width = `${board.tile_width_px}px`;
    this.tile.style.height = `${board.tile_height_px}px`;
    this.tile.style.backgroundImage = `url("${board.address}")`;
  }

  /** Show what is at this many seconds, over this dot of the strip, with its place in words. */
  show(seconds, x, width, words) {
    this.label.textContent = words;
    this.tile.hidden = !this.board;
    if (this.board) {
      const number = Math.max(0, this.board.times_ms.findLastIndex((at) => at <= seconds * 1000));
      const column = number % this.board.columns;
      const row = Math.floor(number / this.board.columns);
      const [left, top] = [column * this.board.tile_width_px, row * this.board.tile_height_px];
      this.tile.style.backgroundPosition = `-${left}px -${top}px`;
    }
    this.box.hidden = false;
    const half = this.box.offsetWidth / 2;
    this.box.style.left = `${Math.min(Math.max(half, x), Math.max(half, width - half))}px`;
  }

  hide() {
    this.box.hidden = true;
  }
}
