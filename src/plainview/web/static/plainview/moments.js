// Places in a recording, and the clock of its place: written and read one way, as plainview.web.words does.

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (number) => String(number).padStart(2, "0");

/** Write a place: 0:52.3, 1:02:05.0. Cut, not rounded. */
export function formatPlace(seconds, decimals = 1) {
  const units = 10 ** decimals;
  const whole = Math.floor(Math.max(0, seconds) * units + 1e-6);
  const [total, rest] = [Math.floor(whole / units), whole % units];
  const [hours, minutes, secs] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const tail = `${two(secs)}.${String(rest).padStart(decimals, "0")}`;
  return hours ? `${hours}:${two(minutes)}:${tail}` : `${minutes}:${tail}`;
}

/**
 * The clock on the wall of the place where it was recorded.
 *
 * offsets: [[from_ms since 1970, seconds ahead of UTC, "PDT (UTC-7)"], ...], rising; the first holds from the start.
 */
export class WallClock {
  constructor(startedMs, offsets) {
    this.startedMs = startedMs;
    this.offsets = offsets;
  }

  /** Write the moment this many seconds into the recording: 14 Mar 2026 23:52:07.3 PDT (UTC-7). */
  format(seconds) {
    const atMs = this.startedMs + Math.floor(seconds * 1000 + 1e-6);
    const [, offsetS, words] = this.#offsetAt(atMs);
    const local = new Date(atMs + offsetS * 1000);
    const date = `${local.getUTCDate()} ${MONTHS[local.getUTCMonth()]} ${local.getUTCFullYear()}`;
    const tenths = Math.floor(local.getUTCMilliseconds() / 100);
    const time = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}:${two(local.getUTCSeconds())}.${tenths}`;
    return `${date} ${time} ${words}`;
  }

  /** Give the place at which the clock shows this time of day for the first time, or null. */
  placeOf(secondsOfDay, durationS) {
    const inDay = (seconds) => ((seconds % 86400) + 86400) % 86400;
    for (const [fromMs, offsetS] of this.offsets) {
      const beginMs = Math.max(fromMs, this.startedMs);
      const place = (beginMs - this.startedMs) / 1000 + inDay(secondsOfDay - inDay(beginMs / 1000 + offsetS));
      const isThen = this.#offsetAt(this.startedMs + place * 1000)[1] === offsetS;
      if (isThen && place <= durationS) return place;
    }
    return null;
  }

  #offsetAt(atMs) {
    return this.offsets.findLast(([fromMs]) => fromMs <= atMs) ?? this.offsets[0];
  }
}

/**
 * Read what a person types into "Go to": 1:02.5 and 62.5 are places, f1234 a picture, 23:52:07 a time on the clock
 * where the recording covers it. Gives seconds, or a sentence that says what is wrong.
 */
export function readMoment(text, { durationS, pictures, clock }) {
  const typed = text.trim().toLowerCase();
  const picture = /^f\s*(\d{1,9})$/.exec(typed);
  if (picture) {
    if (!pictures) return "The pictures of this recording have no numbers: they are unevenly spaced.";
    return within(pictures.placeOf(Number(picture[1])), durationS);
  }
  const parts = /^(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,6}(?:\.\d{1,3})?)$/.exec(typed);
  if (!parts) return "Type a place such as 1:02.5, a picture such as f1234, or a time such as 23:52:07.";
  const seconds = Number(parts[1] ?? 0) * 3600 + Number(parts[2] ?? 0) * 60 + Number(parts[3]);
  if (parts[1] !== undefined && clock && seconds < 86400) {
    const place = clock.placeOf(seconds, durationS);
    if (place !== null) return place;
  }
  return within(seconds, durationS);
}

function within(seconds, durationS) {
  return seconds <= durationS + 0.001 ? seconds : `The recording ends at ${formatPlace(durationS)}.`;
}
