"use strict";

const { figures, themes } = JSON.parse(document.getElementById("charts").textContent);
// Plotly takes a number for a time in the reader's own time zone, but a text as it stands.
const date = (ms) => (ms === null ? null : new Date(ms).toISOString().slice(0, -1));
for (const { data, layout } of Object.values(figures).filter(({ layout }) => layout.xaxis.type === "date")) {
  layout.xaxis.range = layout.xaxis.range.map(date);
  for (const trace of data) {
    if (trace.base) trace.base = trace.base.map(date);
    else trace.x = trace.x.map(date);
  }
  for (const line of layout.shapes ?? []) line.x0 = line.x1 = date(line.x0);
  for (const name of layout.annotations ?? []) name.x = date(name.x);
}

const dark = matchMedia("(prefers-color-scheme: dark)");
const options = { displayModeBar: false, displaylogo: false, responsive: true, showTips: false };
// A4 less its margins, in CSS px.
const PRINT_WIDTH = 680;

function painted(figure, theme, width) {
  const { data, layout } = structuredClone(figure);
  for (const trace of data) {
    const colour = theme.labels[trace.meta];
    trace.marker.color = colour;
    if (trace.marker.line) trace.marker.line.color = theme.surface;
    if (trace.fill) trace.fillcolor = `${colour}30`;
    if (trace.type === "scatter") trace.line.color = colour;
    else trace.insidetextfont = { color: theme.inks[trace.meta] };
  }
  for (const line of layout.shapes ?? []) line.line.color = theme.text;
  layout.font.color = theme.text;
  for (const axis of Object.keys(layout).filter((key) => /^[xy]axis/.test(key))) {
    Object.assign(layout[axis], { gridcolor: theme.grid, zerolinecolor: theme.grid, linecolor: theme.grid });
  }
  layout.hoverlabel = { bgcolor: theme.surface, bordercolor: theme.grid, font: { color: theme.text } };
  // A finger that drags on a chart wants to scroll the page.
  layout.dragmode = matchMedia("(pointer: coarse)").matches ? false : "zoom";
  if (width) layout.width = width;
  return { data, layout };
}

function draw(theme, width) {
  for (const [id, figure] of Object.entries(figures)) {
    const { data, layout } = painted(figure, theme, width);
    Plotly.react(id, data, layout, options);
  }
}

const drawForScreen = () => draw(dark.matches ? themes.dark : themes.light);
drawForScreen();
dark.addEventListener("change", drawForScreen);

addEventListener("beforeprint", () => draw(themes.light, PRINT_WIDTH));
addEventListener("afterprint", drawForScreen);
