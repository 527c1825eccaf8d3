// How the number went that a decision rests on, from before it was asked until now.

import uPlot from "../../vendor/uplot/uPlot.esm.js";
import { clock, now, whenChosen } from "./times.js";

const HEIGHT = 108;
const LABELS = 84;
const BELOW = 22;
const EVERY_MS = 1000;

const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

class Course {
  /** Draw what the card says now; there is one card, and at most one such chart. */
  show() {
    const figure = document.querySelector(".ae-course");
    if (figure !== this.figure) this.begin(figure);
    if (!figure) return;
    const points = JSON.parse(figure.dataset.points);
    this.times = points.map(([ts]) => ts / 1000);
    this.values = points.map(([, value]) => value);
    this.asked = Date.parse(figure.dataset.asked) / 1000;
    const had = Boolean(this.beside);
    this.beside = this.second(figure.dataset);
    if (this.chart && had === Boolean(this.beside)) this.chart.setData(this.data);
    else this.rebuild();
    this.fill();
  }

  /** The number beside it, until it stands still. */
  second({ beside, besidePoints, besideLast, still }) {
    if (!beside) return null;
    const points = JSON.parse(besidePoints);
    const since = still ? Number(still) / 1000 : Infinity;
    const moving = points.filter(([ts]) => ts / 1000 <= since);
    return {
      name: beside,
      last: besideLast,
      all: points,
      isStale: Boolean(still),
      times: moving.map(([ts]) => ts / 1000),
      values: moving.map(([, value]) => value),
    };
  }

  get data() {
    const own = [this.times, this.values];
    return this.beside ? uPlot.join([own, [this.beside.times, this.beside.values]]) : own;
  }

  begin(figure) {
    this.chart?.destroy();
    this.sizes?.disconnect();
    Object.assign(this, { figure, chart: null });
    if (!figure) return;
    this.watch();
    this.plot = figure.querySelector(".ae-course-plot");
    this.twin = figure.querySelector("details");
    this.twin.addEventListener("toggle", () => this.fill());
    this.sizes = new ResizeObserver(() => this.chart?.setSize({ width: this.plot.clientWidth, height: HEIGHT }));
    this.sizes.observe(this.plot);
  }

  /** Colours and times are those of the page, and the end of the chart is now. */
  watch() {
    if (this.isWatching) return;
    this.isWatching = true;
    const again = () => this.figure && this.rebuild();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
    new MutationObserver(again).observe(document.documentElement, { attributeFilter: ["class"] });
    whenChosen(() => {
      again();
      this.fill();
    });
    setInterval(() => this.figure?.isConnected && !document.hidden && this.chart?.setData(this.data), EVERY_MS);
  }

  rebuild() {
    this.chart?.destroy();
    this.chart = new uPlot(this.options(), this.data, this.plot);
  }

  options() {
    const ink = token("--ink");
    return {
      width: this.plot.clientWidth,
      height: HEIGHT,
      padding: [6, LABELS, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { range: () => [this.times[0], Math.max(now() / 1000, this.times.at(-1) + 1)] },
        y: { range: (_, low, high) => [low - (high - low || 1) * 0.12, high + (high - low || 1) * 0.12] },
      },
      axes: [
        {
          stroke: token("--muted"),
          font: "11px Inter, sans-serif",
          grid: { stroke: token("--line"), width: 1, dash: [2, 3] },
          ticks: { show: false },
          values: (_, all) => all.map((at) => clock(at * 1000)),
          space: 96,
          size: BELOW,
        },
        { show: false },
      ],
      series: [
        {},
        { stroke: ink, width: 1.4, points: { show: false }, spanGaps: true },
        ...(this.beside ? [{ stroke: token("--data"), width: 1.4, points: { show: false }, spanGaps: true }] : []),
      ],
      hooks: { drawClear: [(plot) => this.since(plot)], draw: [(plot) => this.end(plot, ink), (plot) => this.aside(plot)] },
    };
  }

  /** What came after it was asked, on the ground of people. */
  since({ ctx, bbox, valToPos }) {
    const x = Math.max(valToPos(this.asked, "x", true), bbox.left);
    ctx.save();
    ctx.fillStyle = token("--people-tint");
    ctx.fillRect(x, bbox.top, bbox.left + bbox.width - x, bbox.height);
    ctx.fillStyle = token("--people-mark");
    ctx.fillRect(x, bbox.top, devicePixelRatio, bbox.height);
    ctx.restore();
  }

  /** The last value with its number; what is silent goes on as a dashed line with the word. */
  end({ ctx, bbox, valToPos }, ink) {
    const { why, last } = this.figure.dataset;
    const right = bbox.left + bbox.width;
    const asked = Math.max(valToPos(this.asked, "x", true), bbox.left);
    const x = valToPos(this.times.at(-1), "x", true);
    const y = valToPos(this.values.at(-1), "y", true);
    const warn = token("--warn");
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px Inter, sans-serif`;
    ctx.textBaseline = "middle";
    ctx.lineWidth = 1.8 * devicePixelRatio;
    ctx.strokeStyle = why ? token("--warn-mark") : ink;
    if (why) ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
    else ctx.lineWidth = 0.8 * devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(right, y);
    ctx.stroke();
    ctx.fillStyle = why ? warn : ink;
    ctx.beginPath();
    ctx.arc(x, y, 2.2 * devicePixelRatio, 0, 2 * Math.PI);
    ctx.fill();
    ctx.textAlign = "left";
    ctx.fillText(last, right + 6 * devicePixelRatio, y);
    ctx.textAlign = "right";
    if (why) ctx.fillText(why, right - 4 * devicePixelRatio, y - 8 * devicePixelRatio);
    ctx.fillStyle = token("--people");
    ctx.textAlign = asked > right - 60 * devicePixelRatio ? "right" : "left";
    const aside = (ctx.textAlign === "left" ? 4 : -4) * devicePixelRatio;
    // In the half of the plot where the line is not.
    const was = this.values[Math.max(this.times.findLastIndex((time) => time <= this.asked), 0)];
    const isHigh = valToPos(was, "y", true) < bbox.top + bbox.height / 2;
    const edge = isHigh ? bbox.top + bbox.height - 7 * devicePixelRatio : bbox.top + 7 * devicePixelRatio;
    ctx.fillText("asked", asked + aside, edge);
    ctx.restore();
  }

  /** The end of the number beside it: what stands still goes on as a dashed line with the word. */
  aside({ ctx, bbox, valToPos }) {
    const { beside } = this;
    if (!beside?.times.length) return;
    const right = bbox.left + bbox.width;
    const x = Math.max(valToPos(beside.times.at(-1), "x", true), bbox.left);
    const y = valToPos(beside.values.at(-1), "y", true);
    const own = valToPos(this.values.at(-1), "y", true);
    ctx.save();
    ctx.font = `${11 * devicePixelRatio}px Inter, sans-serif`;
    ctx.textBaseline = "middle";
    ctx.textAlign = "left";
    if (beside.isStale) {
      ctx.lineWidth = 1.8 * devicePixelRatio;
      ctx.strokeStyle = token("--warn-mark");
      ctx.setLineDash([5 * devicePixelRatio, 4 * devicePixelRatio]);
      ctx.beginPath();
      ctx.moveTo(x, y);
      ctx.lineTo(right, y);
      ctx.stroke();
    }
    // Two labels at one height are none.
    const apart = 13 * devicePixelRatio;
    const at = Math.abs(y - own) < apart ? own + (y <= own ? -apart : apart) : y;
    ctx.fillStyle = token(beside.isStale ? "--warn" : "--muted");
    ctx.fillText(beside.isStale ? `${beside.name} stale` : beside.last, right + 6 * devicePixelRatio, at, (LABELS - 8) * devicePixelRatio);
    ctx.restore();
  }

  fill() {
    if (!this.figure || !this.twin.open) return;
    const table = document.createElement("table");
    table.className = "ae-table";
    table.innerHTML = '<thead><tr><th scope="col">Time</th><th scope="col" class="ae-number">Value</th></tr></thead><tbody></tbody>';
    const other = new Map(this.beside?.all.map(([ts, value]) => [ts, value]));
    if (this.beside) {
      const head = document.createElement("th");
      head.scope = "col";
      head.className = "ae-number";
      head.textContent = this.beside.name;
      table.tHead.rows[0].append(head);
    }
    for (let place = this.times.length - 1; place >= 0; place -= 1) {
      const row = table.tBodies[0].insertRow();
      row.insertCell().textContent = clock(this.times[place] * 1000);
      const cell = row.insertCell();
      cell.className = "ae-number";
      cell.textContent = String(this.values[place]);
      if (!this.beside) continue;
      const next = row.insertCell();
      next.className = "ae-number";
      next.textContent = String(other.get(Math.round(this.times[place] * 1000)) ?? "–");
    }
    this.figure.querySelector(".ae-twin-table").replaceChildren(table);
  }
}

export const course = new Course();
