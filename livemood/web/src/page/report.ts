/** The result of a reaction, on the page and as one self-contained HTML file. */

import type { Settings } from "../settings";
import { type Change, strongestChanges } from "./changes";
import { frameStep, longestGap } from "./gaps";
import type { Media } from "./media";
import { type Row, grouped } from "./records";
import { type Chart, chartStyle, clock, escaped, legend, stripTimes, timeline } from "./timeline";

/** Number of people with a chart: those seen longest. */
const MOST_CHARTED = 4;

interface Person {
  readonly track: number;
  readonly rows: readonly Row[];
  readonly changes: readonly Change[];
}

export interface Result {
  readonly name: string;
  readonly durationS: number;
  /** Time from one row's frame to the next one's. */
  readonly frameS: number;
  readonly people: readonly Person[];
  readonly strip: readonly (string | null)[];
  /** Frames of the film at each change, by its time; null where the film is damaged. */
  readonly frames: ReadonlyMap<number, string | null>;
}

/** Collect the content of the report from rows of faces, with frames of the film. */
export async function gathered(
  rows: readonly Row[],
  media: Media,
  settings: Settings,
  signal: AbortSignal,
): Promise<Result> {
  const frameS = frameStep(rows);
  const gapS = longestGap(frameS, settings.gaps);
  const people = [...grouped(rows, (row) => row.track!)]
    .sort(([, one], [, other]) => other.length - one.length)
    .slice(0, MOST_CHARTED)
    .map(([track, mine]) => ({ track, rows: mine, changes: strongestChanges(mine, gapS, settings.changes) }));
  const times = [...new Set(people.flatMap((person) => person.changes.map((change) => change.after.time_s)))].sort(
    (one, other) => one - other,
  );
  const { durationS } = media;
  const strip = await media.grab(stripTimes(durationS), signal);
  const frames = await media.grab(times, signal);
  return {
    name: media.name,
    durationS,
    frameS,
    people,
    strip,
    frames: new Map(times.map((timeS, i) => [timeS, frames[i]!])),
  };
}

/** The charts and lists as HTML. */
export function figures(result: Result, settings: Settings): string {
  if (result.people.length === 0) return "<p>No face was seen while it played, so there is nothing to show.</p>";
  return result.people.map((person) => personFigure(person, result, settings)).join("");
}

function personFigure(person: Person, result: Result, settings: Settings): string {
  const { durationS, frameS, strip } = result;
  const chart: Chart = { ...person, durationS, frameS, strip };
  const many = result.people.length > 1 ? `<h3>Person ${person.track}</h3>` : "";
  return `${many}<figure><div class="scrolled" tabindex="0">${timeline(chart, settings)}</div>${legend(settings)}</figure>${moments(person, result)}`;
}

function moments(person: Person, result: Result): string {
  if (person.changes.length === 0) return "<p>There was no large change of the scores.</p>";
  const items = person.changes.map((change, i) => {
    const { before, after } = change;
    const said = `${before.label ?? ""} → ${after.label ?? ""}`;
    const frame = result.frames.get(after.time_s);
    const picture = frame ? `<img src="${frame}" alt="The film at ${clock(after.time_s)}">` : "";
    const words = `<strong>${i + 1}. ${clock(after.time_s)}</strong> ${escaped(said)}`;
    return `<li>${picture}${words} (${Math.round(100 * change.size)} % of the score moved)</li>`;
  });
  return `<h3>Moments of strongest change</h3><ol class="moments">${items.join("")}</ol>`;
}

/** The report as one self-contained HTML file. */
export function reportPage(result: Result, settings: Settings): string {
  const { css, meaning } = settings.report;
  const own = ".moments{display:grid;grid-template-columns:repeat(auto-fill,minmax(10rem,1fr));gap:.8rem;padding:0;list-style:none}"
    + ".moments img{width:100%}.scrolled{overflow-x:auto}svg.chart{width:100%;min-width:45rem;height:auto}svg.chart text{fill:var(--text);font:12px system-ui,sans-serif}"
    + "svg.chart .grid{stroke:var(--line)}.key{white-space:nowrap;margin-right:.8rem}";
  const title = escaped(`Reactions to ${result.name}`);
  const policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<style>${css}${own}${chartStyle(settings)}</style>
</head>
<body>
<header><h1>${title}</h1><p>${clock(result.durationS)} long, read by livemood ${escaped(settings.version)} in a browser.</p></header>
<main>
${meaning}
${figures(result, settings)}
</main>
<footer><p>Curves are the smoothed scores, averaged over short stretches; the frames are the film's. No picture of the
visitor is in this page, which loads nothing from a network.</p></footer>
</body>
</html>
`;
}
