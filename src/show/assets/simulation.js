"use strict";
// Draws the replays over time. Moments are seconds since the first job; a click on a name in a
// legend shows or hides it, dragging zooms in, a double click zooms out, in all charts at once.
(() => {
  const { times, runs } = JSON.parse(document.getElementById("data").textContent);
  const place = document.getElementById("charts");
  const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colours = ["#3b6fd4", "#d9822b", "#8e5bc0", "#c0395c", "#4b9aa8", "#8a8f2e", "#7a6a5a"];
  const colour = at => at === 0 ? style("--ours") : colours[(at - 1) % colours.length];
  const age = seconds => {
    const days = Math.floor(seconds / 86400), hours = Math.floor(seconds % 86400 / 3600);
    return `${days}d ${String(hours).padStart(2, "0")}h`;
  };
  const sync = uPlot.sync("time");
  const charts = [];
  const draw = (title, lines) => {
    const heading = document.createElement("h2");
    heading.textContent = title;
    place.append(heading);
    const box = document.createElement("div");
    place.append(box);
    const axis = { stroke: style("--dim"), grid: { stroke: style("--line") },
                   ticks: { stroke: style("--line") } };
    charts.push(new uPlot({
      width: place.clientWidth, height: 220,
      scales: { x: { time: false } },
      cursor: { sync: { key: sync.key, setSeries: false } },
      axes: [
        { ...axis, values: (_, all) => all.map(age), space: 90 },
        { ...axis, size: 70, values: (_, all) => all.map(n => n.toLocaleString("en")) },
      ],
      series: [{ label: "after", value: (_, at) => at == null ? "" : age(at) }, ...lines],
    }, [times, ...lines.map(line => line.data)], box));
  };
  const each = (field, step) => runs.map((run, at) => ({
    label: run.name, data: run[field], show: at < 3, stroke: colour(at),
    width: at === 0 ? 2 : 1, points: { show: false },
    paths: step ? uPlot.paths.stepped({ align: -1 }) : undefined,
    fill: at === 0 && field === "waiting" ? colour(0) + "22" : undefined,
  }));
  draw("Jobs that wait", each("waiting", true));
  const busy = { label: `${runs[0].name}, with jobs`, data: runs[0].busy, stroke: colour(0),
                 width: 0, fill: colour(0) + "33", points: { show: false },
                 paths: uPlot.paths.stepped({ align: -1 }) };
  draw("Nodes that are paid", [...each("nodes", true), busy]);
  draw("GPU-hours paid", each("gpu_hours", false));
  addEventListener("resize", () =>
    charts.forEach(chart => chart.setSize({ width: place.clientWidth, height: 220 })));
})();
