/** One person's expressions over frames of the film, as SVG; colours come from the style sheet of `chartStyle`. */

import { type Settings, emotionLabels } from "../settings";
import type { Change } from "./changes";
import { longestGap } from "./gaps";
import { type Row, grouped } from "./records";

/** A chart's parts in its own px. */
const WIDTH = 1000;
const LEFT = 64;
const RIGHT = 12;
const STRIP_FRAMES = 10;
const CURVES = 190;
const RIBBON = 26;
const GAP = 8;
const AXIS = 24;
const MOST_POINTS = 400;
const DASHES = ["", "8 4", "2 4", "8 4 2 4", "14 5", "14 5 2 5", "5 2", "2 8"];

export interface Chart {
  readonly rows: readonly Row[];
  readonly changes: readonly Change[];
  readonly durationS: number;
  /** Time from one row's frame to the next one's. */
  readonly frameS: number;
  /** Frames of the film, at `stripTimes`. */
  readonly strip: readonly (string | null)[];
}

/** Times of the strip's frames: the middle of each of its parts. */
export function stripTimes(durationS: number): readonly number[] {
  return Array.from({ length: STRIP_FRAMES }, (_, i) => ((i + 0.5) * durationS) / STRIP_FRAMES);
}

/** Text as HTML. */
export function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (letter) => `&#${letter.charCodeAt(0)};`);
}

/** `1:05.2`, or `3:04:05` from an hour on, as in `livemood/reporting/tables.py`. */
export function clock(timeS: number): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const tenths = Math.round(10 * timeS);
  const seconds = Math.floor(tenths / 10);
  const minutes = Math.floor(seconds / 60);
  if (minutes >= 60) return `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
  return `${minutes}:${two(seconds % 60)}.${tenths % 10}`;
}

/** The colours of all labels, on a light and on a dark page. */
export function chartStyle(settings: Settings): string {
  const labels = [...emotionLabels(settings), settings.unsure];
  const rules = (palette: Readonly<Record<string, string>>): string =>
    labels.map((label, i) => `.stroke-${i}{stroke:${palette[label]}}.fill-${i}{fill:${palette[label]}}`).join("");
  return `${rules(settings.palettes.light)}@media (prefers-color-scheme: dark){${rules(settings.palettes.dark)}}`;
}

/** A person's chart as SVG: frames of the film, curves of the scores, labels, numbered changes. */
export function timeline(chart: Chart, settings: Settings): string {
  const { durationS, frameS, strip, rows } = chart;
  const labels = emotionLabels(settings);
  const inner = WIDTH - LEFT - RIGHT;
  const x = (timeS: number): number => LEFT + (inner * Math.min(Math.max(timeS, 0), durationS)) / durationS;
  const frame = inner / STRIP_FRAMES;
  const stripHeight = Math.round(frame * 0.62);
  const curvesTop = stripHeight + GAP;
  const ribbonTop = curvesTop + CURVES + GAP;
  const height = ribbonTop + RIBBON + AXIS;
  const y = (score: number): number => curvesTop + CURVES * (1 - score);
  const bins = binned(rows, durationS);
  const step = Math.max(durationS / MOST_POINTS, frameS);
  const gap = longestGap(step, settings.gaps);
  const parts: string[] = [];
  strip.forEach((picture, i) => {
    if (!picture) return;
    const place = `x="${(LEFT + i * frame).toFixed(1)}" y="0" width="${frame.toFixed(1)}" height="${stripHeight}"`;
    parts.push(`<image href="${picture}" ${place} preserveAspectRatio="xMidYMid slice"/>`);
  });
  for (const score of [0, 0.5, 1]) {
    parts.push(`<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(score)}" y2="${y(score)}"/>`);
    parts.push(`<text x="${LEFT - 8}" y="${y(score) + 4}" text-anchor="end">${100 * score} %</text>`);
  }
  labels.forEach((_, k) => {
    const dash = DASHES[k % DASHES.length] ? ` stroke-dasharray="${DASHES[k % DASHES.length]}"` : "";
    for (const piece of pieces(bins, gap)) {
      const points = piece.map((bin) => `${x(bin.timeS).toFixed(1)},${y(bin.scores[k]!).toFixed(1)}`).join(" ");
      parts.push(`<polyline class="stroke-${k}" fill="none" stroke-width="2"${dash} points="${points}"/>`);
    }
  });
  parts.push(`<text x="${LEFT - 8}" y="${ribbonTop + 18}" text-anchor="end">label</text>`);
  for (const span of spans(bins, step, gap)) {
    const [from, to] = [x(span.startS), x(span.endS)];
    const k = labels.includes(span.label) ? labels.indexOf(span.label) : labels.length;
    const place = `x="${from.toFixed(1)}" y="${ribbonTop}" width="${Math.max(to - from, 1).toFixed(1)}"`;
    parts.push(`<rect class="fill-${k}" ${place} height="${RIBBON}"><title>${escaped(span.label)}</title></rect>`);
  }
  chart.changes.forEach((change, i) => {
    const at = x(change.after.time_s).toFixed(1);
    parts.push(`<line class="grid" x1="${at}" x2="${at}" y1="0" y2="${ribbonTop + RIBBON}" stroke-dasharray="3 3"/>`);
    parts.push(`<text x="${at}" y="${curvesTop + 12}" text-anchor="middle">${i + 1}</text>`);
  });
  for (const timeS of ticks(durationS)) {
    const anchor = timeS > 0.95 * durationS ? "end" : "middle";
    parts.push(`<text x="${x(timeS)}" y="${height - 6}" text-anchor="${anchor}">${clock(timeS)}</text>`);
  }
  const said = `Curves: the score of each expression over the film's ${clock(durationS)}; the moments are listed below.`;
  return `<svg class="chart" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${said}">${parts.join("")}</svg>`;
}

/** The legend: the labels with their line styles. */
export function legend(settings: Settings): string {
  const items = emotionLabels(settings).map((label, k) => {
    const dash = DASHES[k % DASHES.length] ? ` stroke-dasharray="${DASHES[k % DASHES.length]}"` : "";
    const line = `<line class="stroke-${k}" x1="0" x2="34" y1="6" y2="6" stroke-width="3"${dash}/>`;
    return `<span class="key"><svg width="34" height="12" aria-hidden="true">${line}</svg> ${escaped(label)}</span>`;
  });
  return `<figcaption>${items.join(" ")}</figcaption>`;
}

interface Bin {
  readonly timeS: number;
  readonly scores: readonly number[];
  readonly label: string;
}

/** Mean scores and the latest label in up to `MOST_POINTS` intervals. */
function binned(rows: readonly Row[], durationS: number): readonly Bin[] {
  const place = (row: Row): number => Math.min(Math.floor((row.time_s / durationS) * MOST_POINTS), MOST_POINTS - 1);
  return [...grouped(rows, place).values()].map((group) => {
    const mean = (of: (row: Row) => number): number => group.reduce((sum, row) => sum + of(row), 0) / group.length;
    const names = Object.keys(group[0]!.scores);
    return {
      timeS: mean((row) => row.time_s),
      scores: names.map((name) => mean((row) => row.scores[name] ?? 0)),
      label: group.at(-1)!.label ?? "",
    };
  });
}

/** Curves are not joined across longer gaps. */
function pieces(bins: readonly Bin[], gapS: number): readonly (readonly Bin[])[] {
  const found: Bin[][] = [];
  bins.forEach((bin, i) => {
    const before = bins[i - 1];
    if (!before || bin.timeS - before.timeS > gapS) found.push([]);
    found.at(-1)!.push(bin);
  });
  return found;
}

interface Span {
  readonly label: string;
  readonly startS: number;
  endS: number;
}

function spans(bins: readonly Bin[], stepS: number, gapS: number): readonly Span[] {
  const found: Span[] = [];
  for (const bin of bins) {
    const last = found.at(-1);
    const joined = last && bin.timeS - last.endS <= gapS - stepS;
    if (joined) last.endS = bin.timeS;
    if (joined && last.label === bin.label) last.endS = bin.timeS + stepS;
    else found.push({ label: bin.label, startS: bin.timeS, endS: bin.timeS + stepS });
  }
  return found;
}

function ticks(durationS: number): readonly number[] {
  const wished = durationS / 8;
  const step = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800].find((value) => value >= wished) ?? 3600;
  return Array.from({ length: Math.floor(durationS / step) + 1 }, (_, i) => i * step);
}
