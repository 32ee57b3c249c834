// The page: one step is looked at in every chart, and by default it is the player's.

const EVERY = 2000; // milliseconds between two questions to a live run

let charts = [];

function mark(step) {
  for (const chart of charts) chart.mark(step);
}

const player = new Player(mark);

function update(data) {
  player.update(data.runs);
  const wanted = JSON.stringify(data.panels);
  if (update.panels !== wanted) {
    update.panels = wanted;
    const hooks = {
      look: (step) => mark(step ?? player.step),
      choose: (step) => player.go(step),
    };
    charts = data.panels.map((panel) => new Chart(panel, hooks));
    document.getElementById("charts").replaceChildren(...charts.map((chart) => chart.root));
  }
  document.getElementById("no-curves").hidden = charts.length > 0;
  for (const chart of charts) chart.update(data.runs);
  mark(player.step);
  document.querySelectorAll(".progress").forEach((place, i) => {
    const { done, steps } = data.runs[i];
    place.textContent = steps === null ? `${done} steps` : `${done} of ${steps} steps`;
  });
  warn(data.runs);
}

function warn(runs) {
  const lines = runs.flatMap((run) =>
    run.warnings.map(({ step, text }) => {
      const link = element("button", { type: "button" }, `step ${step}`);
      link.addEventListener("click", () => player.go(step));
      return element("li", {}, link, ` ${run.name ? `${run.name}: ` : ""}${text}`);
    }),
  );
  document.querySelector(".warnings").replaceChildren(...lines);
  document.getElementById("warnings").hidden = lines.length === 0;
}

async function follow(sign) {
  let tag = "";
  for (;;) {
    await new Promise((done) => setTimeout(done, EVERY));
    if (document.hidden) continue;
    try {
      const headers = tag ? { "If-None-Match": tag } : {};
      const answer = await fetch("data.json", { cache: "no-store", headers });
      if (answer.status !== 200 && answer.status !== 304) throw new Error(answer.statusText);
      if (answer.status === 200) {
        tag = answer.headers.get("ETag");
        update(await answer.json());
      }
      sign.textContent = "live";
      sign.classList.remove("over");
    } catch {
      sign.textContent = "no answer: the run has ended or was stopped";
      sign.classList.add("over");
    }
  }
}

// A report in its run's folder is called after it.
function name() {
  const folder = /([^/]+)\/report\.html$/.exec(location.pathname);
  if (location.protocol !== "file:" || !folder) return;
  const said = decodeURIComponent(folder[1]);
  document.title = `${said}: ${document.title}`;
  document.querySelector(".kind").append(` · ${said}`);
}

name();
update(JSON.parse(document.getElementById("data").textContent));
const sign = document.getElementById("live");
if (sign) follow(sign);
