// Sample pictures by step: a slider, a play button, and as many runs as there are beside it.

class Player {
  // moved(step) is called whenever another step is shown.
  constructor(moved) {
    this.moved = moved;
    this.slider = document.getElementById("step");
    this.button = document.getElementById("play");
    this.now = document.getElementById("now");
    this.places = [...document.querySelectorAll(".reel")];
    this.steps = [];
    this.slider.addEventListener("input", () => {
      this.pause();
      this.show();
    });
    this.button.addEventListener("click", () => this.toggle());
    document.addEventListener("keydown", (event) => {
      const free = event.target === document.body || event.target === this.slider;
      if (event.key !== " " || !free || !this.steps.length) return;
      event.preventDefault();
      this.toggle();
    });
  }

  get step() {
    return this.steps[Number(this.slider.value)] ?? 0;
  }

  // Take the runs' pictures as they are now; a slider that stands at the end stays there.
  update(runs) {
    this.runs = runs;
    const atEnd = Number(this.slider.value) === this.steps.length - 1 || !this.steps.length;
    const before = this.step;
    this.steps = [...new Set(runs.flatMap((run) => run.frames.map((frame) => frame.step)))];
    this.steps.sort((a, b) => a - b);
    this.slider.max = String(Math.max(this.steps.length - 1, 0));
    if (atEnd && !this.timer) this.slider.value = this.slider.max;
    else this.slider.value = String(this.indexOf(before));
    document.querySelector(".controls").hidden = this.steps.length < 2;
    document.getElementById("no-samples").hidden = this.steps.length > 0;
    this.show();
  }

  // The picture at a step, or the one before it.
  go(step) {
    this.pause();
    this.slider.value = String(this.indexOf(step));
    this.show();
  }

  indexOf(step) {
    return Math.max(this.steps.filter((s) => s <= step).length - 1, 0);
  }

  show() {
    const step = this.step;
    this.now.textContent = `step ${step}`;
    this.slider.setAttribute("aria-valuetext", `step ${step}`);
    this.runs.forEach((run, i) => {
      const frames = run.frames.filter((frame) => frame.step <= step);
      const frame = frames.at(-1) ?? run.frames[0];
      if (frame) this.lay(this.places[i].querySelector(".pictures"), frame, run);
    });
    this.moved(step);
  }

  // Put a frame's pictures into their place, where as many of the same names may be already.
  lay(place, frame, run) {
    const names = Object.keys(frame.pictures).sort((a, b) => (b === "samples") - (a === "samples"));
    if (place.dataset.names !== names.join(" ")) {
      place.dataset.names = names.join(" ");
      place.replaceChildren(
        ...names.flatMap((name) => {
          const picture = element("img", { "data-name": name });
          const caption = element("span", { class: "caption" }, name.replaceAll("_", " "));
          return name === "samples" ? [picture] : [caption, picture];
        }),
      );
    }
    for (const picture of place.querySelectorAll("img")) {
      const name = picture.dataset.name;
      picture.src = frame.pictures[name];
      picture.alt = `${run.name || run.title}: ${name.replaceAll("_", " ")} at step ${frame.step}`;
    }
  }

  toggle() {
    if (this.timer) this.pause();
    else this.play();
  }

  // From here to the end in a few seconds; from the start when it stands at the end.
  play() {
    const last = this.steps.length - 1;
    if (Number(this.slider.value) >= last) this.slider.value = "0";
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const pause = calm ? 1000 : Math.min(Math.max(6000 / (last + 1), 80), 300);
    this.label(true);
    this.show();
    this.timer = setInterval(() => {
      this.slider.value = String(Number(this.slider.value) + 1);
      this.show();
      if (Number(this.slider.value) >= this.steps.length - 1) this.pause();
    }, pause);
  }

  pause() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.label(false);
  }

  label(playing) {
    this.button.classList.toggle("playing", playing);
    this.button.setAttribute("aria-label", playing ? "Pause" : "Play");
  }
}
