// The player of a recording: one video on black, its clocks, its timeline, its transcript, and never a black hole:
// where there is no picture it says what, why and what next.

import { keysWork, listen, setKeysWork } from "./keys.js";
import { goOn, listenToRows } from "./rows.js";
import { WallClock, formatPlace, readMoment } from "./moments.js";
import { Thumbnail } from "./storyboard.js";
import { TranscriptPanel } from "./transcript.js";
import { Waveform } from "./waveform.js";

const RATES = [0.25, 0.5, 1, 1.5, 2, 4, 8];
const POLL_MS = 2000;
const POLL_HIDDEN_MS = 15000;
const REVERSE_EVERY_MS = 120;
const NO_PICTURE_AFTER_S = 1.5;
// A picture far from the last key picture, on a slow machine.
const LONGEST_SEEK_MS = 8000;

const KEYS = {
  " ": "play", k: "stop", j: "slower", l: "faster", ",": "frame-back", ".": "frame-on",
  ArrowLeft: "back-1", ArrowRight: "on-1", "Shift+ArrowLeft": "back-10", "Shift+ArrowRight": "on-10",
  Home: "start", End: "end", g: "go-to", c: "captions", t: "transcript", "/": "find",
  b: "brighten", m: "mute", f: "full-screen", "?": "keys",
  ...Object.fromEntries([...Array(10).keys()].map((tenth) => [String(tenth), `tenth-${tenth}`])),
};

class PvPlayer extends HTMLElement {
  connectedCallback() {
    this.parts = Object.fromEntries([...this.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    this.state = JSON.parse(document.getElementById(this.getAttribute("state")).textContent);
    this.video = this.parts.video;
    this.reverse = 0;
    this.shownAt = 0;
    this.thumbnail = new Thumbnail(this.parts.thumbnail, this.parts.tile, this.parts["thumbnail-time"]);
    this.waveform = new Waveform(this.parts.wave);
    this.panel = new TranscriptPanel(this.parts, {
      onSeek: (seconds) => this.seek(seconds),
      onCue: (text) => this.#caption(text),
    });
    this.loaded = {};
    this.doings = this.#doings();
    this.#listenToControls();
    this.#listenToVideo();
    this.#listenToTimeline();
    this.#listenToDialogs();
    listenToRows(this, (seconds) => this.seek(seconds));
    listen(this, KEYS, (name) => this.do(name));
    this.#take(this.state);
  }

  get durationS() {
    return Number.isFinite(this.video.duration) ? this.video.duration : this.state.duration_ms / 1000;
  }

  /** How pictures are numbered, where they are evenly spaced. */
  get pictures() {
    const { video } = this.state;
    if (!video?.has_picture || !video.is_even || !video.frame_rate) return null;
    const first = video.first_ms / 1000;
    return {
      numberAt: (seconds) => Math.max(0, Math.round((seconds - first) * video.frame_rate)),
      placeOf: (number) => first + (number + 0.5) / video.frame_rate,
    };
  }

  do(name) {
    const [verb, tenth] = name.split(/-(?=\d$)/);
    if (verb === "tenth") this.seek(this.durationS * Number(tenth) / 10);
    else this.doings[name]?.();
  }

  #doings() {
    const { video } = this;
    const by = (seconds) => () => this.seek(this.video.currentTime + seconds);
    return {
      play: () => (video.paused && !this.reverse ? this.#play() : this.#pause()),
      stop: () => this.#pause(),
      faster: () => this.#shuttle(1),
      slower: () => this.#shuttle(-1),
      "back-1": by(-1), "on-1": by(1), "back-10": by(-10), "on-10": by(10),
      start: () => this.seek(0),
      end: () => this.seek(this.durationS),
      "frame-back": () => this.#step(-1),
      "frame-on": () => this.#step(1),
      "go-to": () => this.#askPlace(),
      captions: () => this.#toggle("captions", (on) => { this.parts.captions.hidden = !on || !this.parts.captions.textContent; }),
      brighten: () => this.#toggle("brighten", (on) => {
        video.classList.toggle("bright", on);
        this.parts.brightened.hidden = !on;
      }),
      mute: () => { video.muted = !video.muted; },
      "full-screen": () => this.#fullScreen(),
      keys: () => this.parts["keys-dialog"].showModal(),
      transcript: () => this.panel.focus(),
      find: () => this.parts["find-words"].focus(),
      "find-next": () => this.panel.findNext(),
      again: () => this.#attach(),
    };
  }

  // What the server says: at first with the page, then while something is being made.

  #take(state) {
    this.state = state;
    const { video } = state;
    this.clock = state.started_ms === null ? null : new WallClock(state.started_ms, state.offsets);
    // Until there is something to play, the picture's place says how far that is.
    const others = state.steps.filter((step) => video || step.name !== "derive");
    this.parts.making.textContent = others.map((step) => step.words).join(" ");
    if (video && !this.loaded.video) {
      this.loaded.video = true;
      this.#attach();
    } else if (!video) {
      this.#sayWaiting(state);
    }
    if (state.storyboard && !this.thumbnail.board) this.thumbnail.use(state.storyboard);
    this.#load("waveform", (peaks) => this.waveform.show(peaks, state.duration_ms));
    this.#load("transcript", (found) => this.panel.show(found));
    this.#show(this.shownAt);
    if (state.busy) setTimeout(() => this.#ask(), document.hidden ? POLL_HIDDEN_MS : POLL_MS);
  }

  async #ask() {
    try {
      const answer = await fetch(this.getAttribute("progress"), { headers: { Accept: "application/json" } });
      if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
      this.#take(await answer.json());
    } catch {
      this.parts.making.textContent = "The server does not say how far it is; it is asked again.";
      setTimeout(() => this.#ask(), POLL_HIDDEN_MS);
    }
  }

  async #load(name, show) {
    if (!this.state[name] || this.loaded[name]) return;
    this.loaded[name] = true;
    try {
      const answer = await fetch(this.state[name]);
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.json());
    } catch {
      this.loaded[name] = false;
      this.parts.making.textContent = `The ${name} could not be fetched. Load the page again to try once more.`;
    }
  }

  #sayWaiting(state) {
    if (state.problem) {
      this.#say(state.problem);
      return;
    }
    const derive = state.steps.find((step) => step.name === "derive");
    this.#say(derive?.words ?? "It is being received.", "It can be watched here as soon as it is ready, without loading the page again.", derive);
  }

  /** Say something where the picture would be. */
  #say(what, next = "", step = null, button = null) {
    const lines = [what, next].filter(Boolean).map((text) => Object.assign(document.createElement("p"), { textContent: text }));
    if (step?.state === "doing") {
      const bar = document.createElement("progress");
      [bar.max, bar.value] = [1, step.fraction];
      bar.setAttribute("aria-label", what);
      lines.push(bar);
    }
    if (button) lines.push(button);
    // Each percent read aloud would drown everything else.
    this.parts.instead.setAttribute("aria-live", step ? "off" : "polite");
    this.parts.instead.replaceChildren(...lines);
    this.parts.instead.hidden = false;
  }

  // The video.

  #attach() {
    const { video, state } = this;
    this.classList.toggle("sound-only", !state.video.has_picture);
    for (const name of ["pictures", "picture-ways"]) this.parts[name].hidden = !state.video.has_picture;
    this.parts.sound.hidden = !state.video.has_sound;
    const back = this.wasAt ?? Number(new URLSearchParams(location.search).get("t"));
    if (back > 0) this.startAt = back;
    this.#say("Loading.");
    video.hidden = !state.video.has_picture;
    video.src = state.video.address;
    video.load();
  }

  #listenToVideo() {
    const { video } = this;
    const on = (kinds, call) => kinds.split(" ").forEach((kind) => video.addEventListener(kind, call));
    on("loadedmetadata", () => this.#ready());
    on("error", () => this.#explain());
    on("play pause ended ratechange", () => this.#sayRate());
    on("ended", () => { if (this.state.next) goOn(this.state.next); });
    on("seeking seeked timeupdate durationchange", () => { if (!this.#seesPictures) this.#show(video.currentTime); });
    on("progress seeked", () => this.#showBuffered());
    on("timeupdate", () => this.#checkPicture());
    on("volumechange", () => {
      this.#press("mute", video.muted);
      this.parts.volume.value = Math.round(video.volume * 100);
    });
    on("waiting", () => { this.waiting = setTimeout(() => this.parts.rate.replaceChildren("waiting for data"), 1200); });
    on("playing seeked error pause", () => { clearTimeout(this.waiting); this.#sayRate(); });
    on("click", () => this.do("play"));
    if (video.requestVideoFrameCallback) this.#watchPictures();
  }

  get #seesPictures() {
    return Boolean(this.video.requestVideoFrameCallback) && this.state.video?.has_picture && this.picturesSeen > 0;
  }

  #watchPictures() {
    this.picturesSeen = 0;
    const seen = (_, { mediaTime }) => {
      this.picturesSeen += 1;
      this.#show(mediaTime);
      this.video.requestVideoFrameCallback(seen);
    };
    this.video.requestVideoFrameCallback(seen);
  }

  #ready() {
    const { strip } = this.parts;
    if (this.startAt !== undefined) this.video.currentTime = Math.min(this.startAt, this.durationS);
    this.startAt = undefined;
    strip.removeAttribute("aria-disabled");
    strip.setAttribute("aria-valuemax", Math.floor(this.durationS));
    this.parts["media-end"].textContent = formatPlace(this.durationS);
    this.classList.add("ready");
    if (this.state.video.has_picture && this.video.videoWidth === 0) this.#sayNoPicture();
    else if (this.state.video.has_picture) this.parts.instead.hidden = true;
    else this.#say("Sound only", "This recording has no picture.");
    this.#show(this.video.currentTime);
    // The part before this one was played to its end.
    if (new URLSearchParams(location.search).has("play") && !this.wasAt) this.#play();
  }

  // Some browsers play the sound of a picture that they cannot show, and report no error.
  #checkPicture() {
    if (!this.state.video?.has_picture || this.saidNoPicture) return;
    const quality = this.video.getVideoPlaybackQuality?.();
    const playedS = [...Array(this.video.played.length).keys()].reduce((sum, i) => sum + this.video.played.end(i) - this.video.played.start(i), 0);
    if (playedS > NO_PICTURE_AFTER_S && quality?.totalVideoFrames === 0) this.#sayNoPicture();
  }

  #sayNoPicture() {
    this.saidNoPicture = true;
    this.#say(
      "This browser shows no picture of this recording, though there is one.",
      "The sound plays. Try another browser, or export the recording and open it in a video player.",
    );
  }

  async #explain() {
    if (!this.video.error) return;
    this.wasAt = this.video.currentTime;
    this.classList.remove("ready");
    const again = Object.assign(document.createElement("button"), { type: "button", textContent: "Try again" });
    again.dataset.does = "again";
    this.#say("The recording cannot be played.", "Finding out why.");
    const [what, next] = await this.#whyNot();
    this.#say(what, next, null, again);
  }

  async #whyNot() {
    let answer;
    try {
      answer = await fetch(this.state.video.address, { headers: { Range: "bytes=0-0" }, redirect: "manual" });
    } catch {
      return ["The server cannot be reached.", "Check the network, then try again; it goes on from here."];
    }
    if (answer.type === "opaqueredirect" || answer.status === 401) return ["You were signed out.", "Load the page again and sign in."];
    if (answer.status === 403) return ["This recording is recorded and restricted.", "Its custodian can tell you who may see it."];
    if (answer.status === 404) return ["This recording is not here any more.", "It may have been restricted or corrected meanwhile. Load the page again."];
    if (!answer.ok) {
      const said = answer.headers.get("Content-Type")?.startsWith("text/plain") ? await answer.text() : "";
      return [said || `The server answered with an error (${answer.status}).`, "Try again; if it stays so, tell the administrator."];
    }
    return [
      `This browser cannot play the file from ${formatPlace(this.wasAt)} on.`,
      "Try again, or another browser. The original can be exported and opened in a video player.",
    ];
  }

  seek(seconds) {
    if (!this.classList.contains("ready")) return;
    this.#endReverse();
    this.video.currentTime = Math.min(Math.max(0, seconds), this.durationS);
    this.#show(this.video.currentTime);
  }

  #play() {
    if (!this.classList.contains("ready")) return;
    this.#endReverse();
    this.video.play().catch((error) => {
      if (error.name === "NotAllowedError") this.parts.rate.textContent = "the browser wants a click on Play first";
    });
  }

  #pause() {
    this.#endReverse();
    this.video.pause();
    this.video.playbackRate = 1;
  }

  // J and L: again is 2, 4, 8 times as fast. Browsers do not play backwards, so pictures are shown one by one.
  #shuttle(direction) {
    if (!this.classList.contains("ready")) return;
    if (direction > 0 && this.reverse) {
      this.#pause();
    } else if (direction > 0) {
      if (!this.video.paused) this.video.playbackRate = Math.min(8, this.video.playbackRate < 1 ? 1 : this.video.playbackRate * 2);
      this.#play();
    } else if (!this.video.paused && this.video.playbackRate > 1) {
      this.video.playbackRate = Math.max(1, this.video.playbackRate / 2);
    } else {
      this.#goBack(this.reverse ? Math.min(8, this.reverse * 2) : 1);
    }
  }

  #goBack(rate) {
    this.video.pause();
    this.#endReverse();
    this.reverse = rate;
    let last = performance.now();
    this.reversing = setInterval(() => {
      const now = performance.now();
      if (this.video.seeking) return;
      this.video.currentTime = Math.max(0, this.video.currentTime - rate * (now - last) / 1000);
      last = now;
      if (this.video.currentTime <= 0) this.#pause();
    }, REVERSE_EVERY_MS);
    this.#sayRate();
  }

  #endReverse() {
    clearInterval(this.reversing);
    if (!this.reverse) return;
    this.reverse = 0;
    this.#sayRate();
  }

  // One picture on or back from the one that is shown, whatever their spacing: look farther until another one comes.
  async #step(direction) {
    if (!this.classList.contains("ready") || this.stepping || !this.video.requestVideoFrameCallback) return;
    this.stepping = true;
    this.#endReverse();
    this.video.pause();
    if (this.video.seeking) await this.#shownAfterSeek();
    const spacing = 1 / (this.state.video.frame_rate || 30);
    const from = this.shownAt;
    for (let reach = 1; reach <= 32 && this.shownAt === from; reach *= 2) {
      const to = direction > 0 ? from + spacing * (reach + 0.5) : from - spacing * (reach - 0.5);
      if (to < -spacing || to > this.durationS + spacing) break;
      await this.#shownAfterSeek(Math.min(Math.max(0, to), this.durationS));
    }
    this.stepping = false;
  }

  // A seek within the picture that is shown may present nothing anew, so the end of the seek counts too, a little later.
  #shownAfterSeek(seconds) {
    return new Promise((resolve) => {
      this.video.requestVideoFrameCallback(() => resolve());
      this.video.addEventListener("seeked", () => setTimeout(resolve, 80), { once: true });
      setTimeout(resolve, LONGEST_SEEK_MS);
      if (seconds !== undefined) this.video.currentTime = seconds;
    });
  }

  #sayRate() {
    const { video, reverse } = this;
    this.querySelector("[data-does='play']").textContent = video.paused && !reverse ? "Play" : "Pause";
    this.parts.rate.textContent = reverse ? `back ${reverse}x` : `${video.playbackRate}x`;
  }

  // What is shown of the moment at hand.

  #show(seconds) {
    this.shownAt = seconds;
    const { parts } = this;
    const share = this.durationS ? Math.min(1, Math.max(0, seconds / this.durationS)) : 0;
    parts.playhead.style.left = `${share * 100}%`;
    parts["media-time"].textContent = formatPlace(seconds, 3);
    parts["wall-clock"].textContent = this.clock ? this.clock.format(seconds) : "not known";
    parts["frame-number"].textContent = this.#pictureWords(seconds);
    this.panel.at(seconds);
    const whole = Math.floor(seconds);
    if (whole === this.spokenAt) return;
    this.spokenAt = whole;
    parts.strip.setAttribute("aria-valuenow", whole);
    parts.strip.setAttribute("aria-valuetext", this.#placeWords(seconds, ", "));
  }

  #pictureWords(seconds) {
    const { video } = this.state;
    if (!video?.has_picture) return "none";
    const whose = video.kind === "original" ? "of the original" : "of the viewing copy";
    return this.pictures ? `${this.pictures.numberAt(seconds).toLocaleString("en-US")} ${whose}` : `unevenly spaced, no number`;
  }

  #placeWords(seconds, between) {
    const place = `${formatPlace(seconds)} of ${formatPlace(this.durationS)}`;
    return this.clock ? `${place}${between}${this.clock.format(seconds).split(" ").slice(3, 5).join(" ")}` : place;
  }

  #caption(text) {
    this.parts.captions.textContent = text;
    this.parts.captions.hidden = !text || !this.pressed?.captions;
  }

  #showBuffered() {
    const { buffered } = this.video;
    const percent = (seconds) => `${Math.min(100, seconds / this.durationS * 100).toFixed(2)}%`;
    const spans = [...Array(buffered.length).keys()].map((i) => `transparent ${percent(buffered.start(i))}, var(--edge) ${percent(buffered.start(i))} ${percent(buffered.end(i))}, transparent ${percent(buffered.end(i))}`);
    this.parts.buffered.style.background = spans.length ? `linear-gradient(90deg, ${spans.join(", ")})` : "none";
  }

  // Controls.

  #listenToControls() {
    this.addEventListener("click", (event) => {
      const button = event.target.closest("[data-does]");
      if (button) this.do(button.dataset.does);
    });
    this.parts.volume.addEventListener("input", () => {
      this.video.volume = this.parts.volume.value / 100;
      this.video.muted = false;
    });
  }

  #toggle(name, apply) {
    this.pressed = { ...this.pressed, [name]: !this.pressed?.[name] };
    this.#press(name, this.pressed[name]);
    apply(this.pressed[name]);
  }

  #press(name, on) {
    this.querySelector(`[data-does='${name}']`).setAttribute("aria-pressed", on);
  }

  #fullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.querySelector(".screen-side").requestFullscreen?.();
  }

  #listenToTimeline() {
    const { strip, hover } = this.parts;
    const placeOf = (event) => {
      const box = strip.getBoundingClientRect();
      const x = Math.min(Math.max(0, event.clientX - box.left), box.width);
      return [x / box.width * this.durationS, x, box.width];
    };
    const point = (seconds, x, width) => {
      this.thumbnail.show(seconds, x, width, this.#placeWords(seconds, "  "));
      hover.hidden = false;
      hover.style.left = `${x}px`;
    };
    const leave = () => { this.thumbnail.hide(); hover.hidden = true; };
    strip.addEventListener("pointermove", (event) => {
      const [seconds, ...at] = placeOf(event);
      point(seconds, ...at);
      if (event.buttons & 1 && !this.video.seeking) this.seek(seconds);
    });
    strip.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      strip.setPointerCapture(event.pointerId);
      this.seek(placeOf(event)[0]);
    });
    strip.addEventListener("pointerup", (event) => this.seek(placeOf(event)[0]));
    strip.addEventListener("pointerleave", leave);
    strip.addEventListener("blur", leave);
    strip.addEventListener("keydown", (event) => {
      const far = this.durationS / 10;
      const steps = {
        ArrowLeft: event.shiftKey ? -10 : -1, ArrowDown: -1, ArrowRight: event.shiftKey ? 10 : 1, ArrowUp: 1,
        PageUp: far, PageDown: -far, Home: -Infinity, End: Infinity,
      };
      if (!(event.key in steps) || event.ctrlKey || event.altKey || event.metaKey) return;
      event.preventDefault();
      this.seek(this.video.currentTime + steps[event.key]);
      const width = strip.clientWidth;
      point(this.video.currentTime, this.video.currentTime / this.durationS * width, width);
    });
  }

  #askPlace() {
    this.parts["go-to-error"].textContent = "";
    this.parts["go-to-dialog"].showModal();
    this.parts["go-to-place"].select();
  }

  #listenToDialogs() {
    const { "go-to-dialog": dialog, "go-to-place": place, "go-to-error": error, "keys-when": when } = this.parts;
    dialog.querySelector("form").addEventListener("submit", (event) => {
      if (event.submitter?.value !== "go") return;
      const found = readMoment(place.value, { durationS: this.durationS, pictures: this.pictures, clock: this.clock });
      if (typeof found === "number") {
        this.seek(found);
        return;
      }
      event.preventDefault();
      error.textContent = found;
    });
    when.querySelector(`[value='${keysWork()}']`).checked = true;
    when.addEventListener("change", (event) => {
      this.keysWork = event.target.value;
      setKeysWork(event.target.value);
    });
  }
}

customElements.define("pv-player", PvPlayer);
