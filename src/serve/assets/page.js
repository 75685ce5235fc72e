// The page at `/`: it asks /status every few seconds and draws what came.
// Every text goes into the page as text; nothing of it is read as HTML.
"use strict";

const EVERY_MS = 3000;
const PATIENCE_MS = 8000;
const KEEP_MS = 3600 * 1000;
const DECISIONS = 100;

const $ = (id) => document.getElementById(id);
const usd = new Intl.NumberFormat("en-US", { style: "currency", currency: "USD" });
const money = (text) => usd.format(Number(text));
const stamp = (ms) => new Date(ms).toISOString().replace("T", " ").slice(0, 19);
const clock = (ms) => stamp(ms).slice(11);

// What was heard of each cluster: samples and decisions by their time. It outlives the service.
const heard = new Map();
let status = null;
let asked = 0;
let away = null;
let charts = [];

function make(tag, text, kind) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
}

function set(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function list(node, items) {
  node.replaceChildren(...items);
}

// ---- what the service says -------------------------------------------------------------

function newest() {
  let at = null;
  for (const { samples } of heard.values()) {
    const last = samples.length ? samples[samples.length - 1].at : 0;
    at = at === null ? last : Math.min(at, last);
  }
  return at || 0;
}

function merge(old, more) {
  const all = new Map(old.map((it) => [it.at, it]));
  for (const it of more) all.set(it.at, it);
  return [...all.values()].sort((one, other) => one.at - other.at);
}

function hear(next) {
  for (const name of heard.keys()) if (!(name in next.clusters)) heard.delete(name);
  for (const [name, cluster] of Object.entries(next.clusters)) {
    const old = heard.get(name) || { samples: [], log: [] };
    const samples = merge(old.samples, cluster.samples);
    const last = samples.length ? samples[samples.length - 1].at : 0;
    heard.set(name, {
      samples: samples.filter((it) => it.at >= last - KEEP_MS),
      log: merge(old.log, cluster.log).slice(-DECISIONS),
    });
  }
  status = next;
  asked = performance.now();
}

async function ask() {
  const after = newest();
  try {
    const answer = await fetch(after ? `status?after=${after}` : "status", {
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    const next = await answer.json();
    const anew = status !== null && next.started_at !== status.started_at;
    hear(next);
    away = null;
    show();
    // Whoever began anew may have read up what happened meanwhile.
    if (anew && after) await again();
  } catch (error) {
    if (away === null) away = { since: Date.now(), why: String(error.message || error) };
    showService();
  }
}

async function again() {
  const answer = await fetch("status", { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
  if (answer.ok) {
    hear(await answer.json());
    show();
  }
}

async function loop() {
  for (;;) {
    if (!document.hidden) await ask();
    await new Promise((done) => setTimeout(done, EVERY_MS));
  }
}

// ---- the head --------------------------------------------------------------------------

function showService() {
  const banner = $("banner");
  document.body.classList.toggle("away", away !== null);
  if (away !== null) {
    const had = status === null ? "" : " What is shown is from before.";
    set(banner, `Not reachable since ${stamp(away.since)} UTC.${had} Asking again every ${EVERY_MS / 1000} seconds.`);
    banner.hidden = false;
    set($("service"), "not reachable");
    $("service").className = "ill";
    return;
  }
  const problems = [status.problem, status.unread, status.unhealthy].filter(Boolean);
  banner.hidden = problems.length === 0;
  set(banner, problems.join(" "));
  const leads = { true: "leads", false: "stands by: another service leads", null: "does not know yet who leads" };
  set($("service"), leads[String(status.leader)] + looked());
  $("service").className = status.unhealthy ? "ill" : status.leader === null ? "" : "well";
}

function looked() {
  if (status.looked_ago_s === null) return "";
  const ago = status.looked_ago_s + Math.floor((performance.now() - asked) / 1000);
  // Not every second anew: a reader of the screen would never stop.
  return ago > 3 * status.every_s ? `, last looked ${ago} s ago` : `, looks every ${status.every_s} s`;
}

function chosen() {
  const names = Object.keys(status.clusters);
  const wish = decodeURIComponent(location.hash.slice(1));
  return names.includes(wish) ? wish : names[0];
}

function showClusters(name) {
  const names = Object.keys(status.clusters);
  $("clusters").hidden = names.length < 2;
  const nav = $("clusters");
  const there = [...nav.children].map((it) => it.dataset.name);
  if (there.join("\n") !== names.join("\n")) {
    list(nav, names.map((it) => {
      const button = make("button", it);
      button.append(make("small", ""));
      button.type = "button";
      button.dataset.name = it;
      button.addEventListener("click", () => { location.hash = encodeURIComponent(it); });
      return button;
    }));
  }
  for (const button of nav.children) {
    button.setAttribute("aria-current", String(button.dataset.name === name));
    const { nodes, blocked, demand_problem, pause, sums } = status.clusters[button.dataset.name];
    const all = Object.values(nodes).reduce((sum, number) => sum + number, 0);
    const ails = blocked || demand_problem ? "needs a look" : pause ? "paused" : "";
    set(button.lastChild, [`${all} ${all === 1 ? "node" : "nodes"}`, `${money(sums.per_hour)}/h`, ails].filter(Boolean).join(" · "));
    button.classList.toggle("ails", Boolean(blocked || demand_problem));
  }
}

// ---- one cluster -----------------------------------------------------------------------

function tile(kind, title, value, small) {
  const dd = make("dd", value);
  if (small) dd.append(make("small", small));
  const box = make("div");
  box.append(make("dt", title, kind), dd);
  return box;
}

function showTiles(cluster) {
  const { sums, nodes } = cluster;
  const states = Object.entries(nodes).map(([state, number]) => `${number} ${state}`).join(", ");
  const all = Object.values(nodes).reduce((sum, number) => sum + number, 0);
  const waits = sums.missing > 0 ? `${sums.gpus_waiting} GPUs; ${sums.missing} nodes short` : `${sums.gpus_waiting} GPUs`;
  list($("tiles"), [
    tile("jobs", "Jobs waiting", String(sums.jobs_waiting), waits),
    tile("busy", "Busy", String(sums.busy), "nodes with jobs"),
    tile("free", "Free", String(Math.max(0, sums.serving - sums.busy)), `${sums.gpus_free} GPUs`),
    tile("coming", "Coming", String(sums.coming), "on their way"),
    tile("going", "Going", String(sums.going), "on their way out"),
    tile("", "Nodes", String(all), `wanted ${sums.target} (${sums.min} to ${sums.max})`),
    tile("cost", "Cost an hour", money(sums.per_hour), `${money(sums.this_month)} this month`),
  ]);
  $("tiles").title = states;
}

function showNotes(cluster) {
  const notes = [];
  if (cluster.blocked) notes.push(make("p", `Nothing is decided: ${cluster.blocked}`, "note bad"));
  if (cluster.pause) {
    const { who, at, why, until } = cluster.pause;
    const end = until ? ` until ${stamp(until)}` : "";
    notes.push(make("p", `Paused by ${who} since ${stamp(at)}${end}${why ? `: ${why}` : "."}`, "note"));
  }
  if (cluster.demand_problem) {
    const since = cluster.decision.heard?.since;
    const never = since ? `since ${stamp(since)}` : "never known";
    const age = cluster.demand_age_s === null ? never : `${cluster.demand_age_s} s old`;
    const what = cluster.demand === "stale" ? "The demand is not all known" : "The demand is not known";
    notes.push(make("p", `${what} (${age}): ${cluster.demand_problem}`, "note bad"));
  }
  const texts = (nodes) => [...nodes].map((it) => it.textContent).join("\n");
  if (texts(notes) !== texts($("notes").children)) list($("notes"), notes);
}

function reasons(words, does) {
  return words.map((text, at) => make("li", text, at < does ? "does" : text.startsWith("attention: ") ? "alert" : ""));
}

const direction = (decision) =>
  decision.launches.length ? "up" : decision.turns.some((it) => it.to === "terminate") ? "down" : "other";

function showWhy(cluster) {
  const key = cluster.words.join("\n");
  if ($("why").dataset.key === key) return;
  $("why").dataset.key = key;
  list($("why"), reasons(cluster.words, cluster.acts));
}

function showLog(log) {
  const key = log.map((it) => it.at).join();
  if ($("log").dataset.key === key) return;
  $("log").dataset.key = key;
  if (log.length === 0) {
    list($("log"), [make("li", "Nothing has been launched or ended since the service began.", "none")]);
    return;
  }
  list($("log"), [...log].reverse().map(({ at, decision, words, acts }) => {
    const item = make("li", undefined, direction(decision));
    const time = make("time", stamp(at));
    time.dateTime = new Date(at).toISOString();
    const does = make("ul");
    list(does, words.slice(0, acts).map((text) => make("li", text)));
    const more = make("details");
    const why = make("ul");
    list(why, words.slice(acts).map((text) => make("li", text)));
    more.append(make("summary", "Why, and why not more or less"), why);
    item.append(time, does, more);
    return item;
  }));
}

function showTable(samples) {
  if (!$("numbers").open) return;
  list($("rows"), [...samples].reverse().map((it) => {
    const row = make("tr");
    const head = make("th", clock(it.at));
    head.scope = "row";
    row.append(head, ...[it.jobs, it.busy, it.free, it.coming, it.going, money(it.per_hour)].map((cell) => make("td", String(cell))));
    return row;
  }));
}

// ---- the charts ------------------------------------------------------------------------

const CHARTS = [
  { title: "Jobs waiting", height: 110, series: [["jobs", (it) => it.jobs]] },
  {
    title: "Nodes: busy, free, coming, going",
    height: 170,
    // The highest first: each is painted over by what stands below it.
    series: [
      ["going", (it) => it.busy + it.free + it.coming + it.going],
      ["coming", (it) => it.busy + it.free + it.coming],
      ["free", (it) => it.busy + it.free],
      ["busy", (it) => it.busy],
    ],
  },
  { title: "US dollars an hour", height: 120, series: [["cost", (it) => Number(it.per_hour)]] },
];

// Where nobody looked there is no line.
function spread(samples, every_s) {
  const out = [];
  for (const it of samples) {
    const last = out.length ? out[out.length - 1] : null;
    if (last !== null && it.at - last.at > Math.max(60, 4 * every_s) * 1000) out.push({ at: last.at + 1000, gap: true });
    out.push(it);
  }
  return out;
}

function columns(points, series) {
  const line = (value) => points.map((it) => (it.gap ? null : value(it)));
  return [points.map((it) => it.at / 1000), ...series.map(([, value]) => line(value))];
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function marks(plot) {
  const log = (heard.get(chosen()) || { log: [] }).log;
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const { at, decision } of log) {
    const x = Math.round(plot.valToPos(at / 1000, "x", true));
    const kind = direction(decision);
    const size = 5 * devicePixelRatio;
    const [tip, end] = kind === "up" ? [bbox.top, bbox.top + 1.6 * size] : [bbox.top + 1.6 * size, bbox.top];
    ctx.strokeStyle = ctx.fillStyle = colour(kind === "other" ? "soft" : kind);
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(x, tip);
    ctx.lineTo(x - size, end);
    ctx.lineTo(x + size, end);
    ctx.fill();
  }
  ctx.restore();
}

function options({ height, series }, last) {
  const [soft, line] = [colour("soft"), colour("line")];
  const axis = { stroke: soft, grid: { stroke: line, width: 1 }, ticks: { stroke: line, width: 1 }, font: "12px system-ui, sans-serif" };
  return {
    width: Math.max(200, $("charts").clientWidth),
    height: height + (last ? 30 : 0),
    padding: [8, 8, last ? 0 : 8, 0],
    tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), "Etc/UTC"),
    legend: { show: false },
    cursor: { sync: { key: "time" }, y: false, drag: { x: false, y: false }, points: { show: false } },
    scales: { y: { range: (_, low, high) => [0, Math.max(1, (high || 0) * 1.15)] } },
    axes: [
      {
        ...axis, size: last ? 30 : 0, space: 70,
        values: last ? (_, ticks) => ticks.map((it) => clock(it * 1000).slice(0, 5)) : () => [],
        ticks: { ...axis.ticks, show: last },
      },
      { ...axis, size: 52, space: 26, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 50000, 100000] },
    ],
    series: [{}, ...series.map(([name]) => ({
      stroke: colour(name), fill: series.length > 1 ? colour(name) : undefined, width: series.length > 1 ? 0 : 2,
      paths: uPlot.paths.stepped({ align: 1 }), points: { show: false }, spanGaps: false,
    }))],
    hooks: { draw: [marks], setCursor: [readout] },
  };
}

function readout(plot) {
  const at = plot.cursor.idx;
  const { samples, log } = heard.get(chosen()) || { samples: [], log: [] };
  if (at === null || at === undefined || !samples.length) return;
  const time = plot.data[0][at] * 1000;
  const it = samples.find((sample) => sample.at === Math.round(time));
  if (!it) return;
  const numbers = `${clock(it.at)}: ${it.jobs} jobs wait; ${it.busy} busy, ${it.free} free, ${it.coming} coming, ${it.going} going; ${money(it.per_hour)} an hour`;
  // A finger hits within a few pixels.
  const near = (one) => Math.abs(plot.valToPos(one.at / 1000, "x") - plot.cursor.left) < 8;
  const taken = log.filter(near).map((one) => `${clock(one.at)}: ${one.words.slice(0, one.acts).join("; ")}`);
  list($("readout"), [numbers, ...taken].map((text) => make("span", text)));
}

function draw() {
  for (const { plot } of charts) plot.destroy();
  list($("charts"), []);
  charts = CHARTS.map((chart, at) => {
    const box = make("div");
    $("charts").append(make("h3", chart.title), box);
    return { chart, plot: new uPlot(options(chart, at === CHARTS.length - 1), columns([], chart.series), box) };
  });
}

function showCharts(name) {
  const { samples } = heard.get(name);
  if (charts.length === 0) draw();
  const points = spread(samples, status.every_s);
  for (const { chart, plot } of charts) plot.setData(columns(points, chart.series));
  const last = samples[samples.length - 1];
  const label = last === undefined ? "No numbers yet." :
    `Jobs waiting, nodes and cost from ${clock(samples[0].at)} to ${clock(last.at)}: now ${last.jobs} jobs wait, ` +
    `${last.busy} nodes are busy, ${last.free} free, ${last.coming} coming, ${last.going} going, ${money(last.per_hour)} an hour.`;
  $("charts").setAttribute("aria-label", label);
}

// ---- all of it -------------------------------------------------------------------------

function show() {
  set($("stack"), status.stack || "mlinfra autoscale");
  set($("where"), [status.region, `mlinfra ${status.version}`].filter(Boolean).join(" · "));
  document.title = `${status.stack || "mlinfra"} autoscale`;
  showService();
  const name = chosen();
  $("main").hidden = name === undefined;
  $("empty").hidden = name !== undefined;
  if (name === undefined) {
    const idle = status.leader === false ? "Another service leads. This one takes over when that one ends." :
      status.looked_ago_s === null ? "The first look has not ended yet." : "No cluster of this stack is resized: none has a block autoscale.";
    set($("empty"), idle);
    return;
  }
  const cluster = status.clusters[name];
  showClusters(name);
  showNotes(cluster);
  showTiles(cluster);
  showWhy(cluster);
  showLog(heard.get(name).log);
  showCharts(name);
  showTable(heard.get(name).samples);
}

function resize() {
  const width = Math.max(200, $("charts").clientWidth);
  for (const { plot } of charts) if (plot.width !== width) plot.setSize({ width, height: plot.height });
}

function redraw() {
  if (status === null || chosen() === undefined) return;
  draw();
  showCharts(chosen());
}

window.addEventListener("hashchange", () => { if (status) show(); });
window.addEventListener("resize", resize);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
document.addEventListener("visibilitychange", () => { if (!document.hidden) ask(); });
$("numbers").addEventListener("toggle", () => { if (status && chosen()) showTable(heard.get(chosen()).samples); });
setInterval(() => { if (status) showService(); }, 1000);
loop();
