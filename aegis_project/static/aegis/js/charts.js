// Two charts of one topic by uPlot, each with a sentence and a table that say the same.

import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { clock, whenChosen } from "./times.js";

const HEIGHT = 140;
const thin = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, "\u2009");
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class Charts {
  constructor() {
    this.charts = [...document.querySelectorAll("[data-chart]")].map((place) => new Chart(place));
    const redraw = () => this.charts.forEach((chart) => chart.rebuild());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
    // Unfold's switch of themes is a class on the root.
    whenChosen(redraw);
    new MutationObserver(redraw).observe(document.documentElement, { attributeFilter: ["class"] });
  }

  /** `{rates, lags, step, now}`: the last point of each was at `now`, unix seconds. */
  show({ rates, lags, step, now }) {
    for (const chart of this.charts) {
      const values = chart.name === "rate" ? rates : lags;
      const times = values.map((_, place) => now - (values.length - 1 - place) * step);
      chart.show([times, values]);
    }
  }

  say(html) {
    const template = document.createElement("template");
    template.innerHTML = html;
    for (const said of template.content.querySelectorAll("[data-said]")) {
      const place = document.querySelector(`[data-summary="${said.dataset.said}"]`);
      if (place && place.textContent !== said.textContent) place.textContent = said.textContent;
    }
  }
}

class Chart {
  constructor(place) {
    this.name = place.dataset.chart;
    this.plot = place.querySelector(".ae-plot");
    this.twin = place.querySelector(".ae-twin");
    this.table = place.querySelector(".ae-twin-table");
    this.twin.addEventListener("toggle", () => this.fill());
    new ResizeObserver(() => this.chart?.setSize({ width: this.plot.clientWidth, height: HEIGHT })).observe(this.plot);
  }

  show(data) {
    this.data = data;
    if (!data[0].length) return;
    if (this.chart) this.chart.setData(data);
    else this.rebuild();
    if (this.twin.open) this.fill();
  }

  rebuild() {
    if (!this.data?.[0].length) return;
    this.chart?.destroy();
    this.chart = new uPlot(this.options(), this.data, this.plot);
    this.fill();
  }

  options() {
    const axis = {
      stroke: token("--muted"),
      font: "11px Inter, sans-serif",
      grid: { stroke: token("--line"), width: 1 },
      ticks: { show: false },
    };
    return {
      width: this.plot.clientWidth,
      height: HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: false, y: false } },
      scales: { y: { range: (_, __, top) => [0, top || 1] } },
      axes: [
        { ...axis, values: (_, all) => all.map((at) => clock(at * 1000)), space: 84, size: 28 },
        { ...axis, values: (_, all) => all.map(thin), size: 52 },
      ],
      series: [
        {},
        {
          stroke: token("--data"),
          fill: `color-mix(in srgb, ${token("--data-soft")} 65%, transparent)`,
          width: 1.4,
          points: { show: false },
        },
      ],
    };
  }

  fill() {
    if (!this.twin.open || !this.data) return;
    const table = document.createElement("table");
    table.className = "ae-table";
    table.innerHTML = '<thead><tr><th scope="col">Time</th><th scope="col" class="ae-number"></th></tr></thead><tbody></tbody>';
    table.querySelector("th.ae-number").textContent = this.name === "rate" ? "Records per second" : "Records behind";
    const [times, values] = this.data;
    for (let place = times.length - 1; place >= 0; place -= 1) {
      const row = table.tBodies[0].insertRow();
      row.insertCell().textContent = clock(times[place] * 1000);
      const cell = row.insertCell();
      cell.className = "ae-number";
      cell.textContent = String(values[place]);
    }
    this.table.replaceChildren(table);
  }
}
