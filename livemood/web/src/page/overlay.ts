/** Draw moods on a picture, in the style of the live window (`livemood/overlay/annotator.py`). */

import type { Context } from "../canvas";
import type { Colour, Settings } from "../settings";
import { type Box, type Mood, type Point, SMILE, SMILE_KINDS, grown, height, width } from "../values";
import { type Size, type Sizes, clearSpot, headOf, inside, leastCovering, mosaicOf, placeLabels, sizesOf, spotsAround, visiblePart } from "./placement";

export interface Style {
  readonly ids: boolean;
  readonly panel: boolean;
  readonly blur: boolean;
  /** Smallest text of a label, px of the canvas. */
  readonly leastText?: number;
}

interface Word {
  readonly text: string;
  readonly colour: Colour;
  readonly bold: boolean;
}

/** A card of words in one row over a bar, or of rows with a bar beside each. */
interface Card {
  size(text: number): Size;
  draw(spot: Box, text: number): void;
}

const SMALLEST_TEXT = 8;
const LONGEST_LABEL = 24;

/** A colour in CSS; opacity 0..1. */
export function css([red, green, blue]: Colour, opacity = 1): string {
  return `rgb(${red} ${green} ${blue} / ${opacity})`;
}

/** `happy · open smile`: the emotion, and of a happy face the kind of its smile, if the model has that head. */
export function wordsOf(mood: Mood): string {
  const { label } = mood.emotion;
  const kind = mood.others[SMILE]?.label ?? "";
  return label === "happy" && SMILE_KINDS.includes(kind) ? `${label} · ${kind} smile` : label;
}

export class Overlay {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Draw on a canvas that shows a picture already; boxes are in px of the canvas. */
  draw(context: Context, moods: readonly Mood[], style: Style): void {
    const frame: Size = context.canvas;
    const sizes = sizesOf(frame, style.leastText);
    const { forehead } = this.#settings.overlay;
    if (style.blur) {
      for (const mood of moods) this.#hide(context, headOf(mood, mood.track.detection.box, forehead));
    }
    const ordered = [...moods].sort((one, other) => one.track.id - other.track.id);
    const seen = ordered.flatMap((mood) => {
      const part = visiblePart(mood.track.detection.box, frame);
      return part ? [{ mood, part, head: grown(headOf(mood, part, forehead), sizes.reach) }] : [];
    });
    for (const { mood, part } of seen) this.#brackets(context, part, this.colour(mood.emotion.label), sizes);
    const heads = seen.map(({ head }) => head);
    const labels = seen.flatMap(({ mood, head }) => {
      const card = this.#label(context, mood, style.ids);
      const text = fitting(card, sizes.text, frame);
      return text ? [{ card, text, head }] : [];
    });
    const spots = placeLabels(
      heads,
      labels.map(({ card, text, head }) => [head, card.size(text)]),
      frame,
      sizes.gap,
    );
    labels.forEach(({ card, text }, i) => card.draw(spots[i]!, text));
    if (!style.panel) return;
    const taken = [...spots, ...heads];
    for (const { mood, head } of seen) this.#placePanel(context, mood, head, taken, frame, sizes);
  }

  /** Write status lines, one under the other, into the bottom left corner. */
  lines(context: Context, lines: readonly string[], leastText: number): void {
    const frame: Size = context.canvas;
    const sizes = sizesOf(frame, leastText);
    const { bright } = this.#settings.overlay;
    const card = this.#rows(context, lines.map((text) => ({ text, colour: bright, bold: false })), []);
    const text = fitting(card, sizes.small, frame);
    if (lines.length === 0 || !text) return;
    const size = card.size(text);
    card.draw(inside(sizes.gap, frame.height - sizes.gap - size.height, size, frame), text);
  }

  /** The colour of a label. */
  colour(label: string): Colour {
    const { colours } = this.#settings.overlay;
    return colours[label] ?? colours[this.#settings.unsure]!;
  }

  #placePanel(context: Context, mood: Mood, head: Box, taken: Box[], frame: Size, sizes: Sizes): void {
    const { bright, dim } = this.#settings.overlay;
    const names = this.#settings.emotion.heads[0]!.labels;
    const rows = names.map((name): Word => {
      const leads = name === mood.emotion.label;
      return { text: printable(name), colour: leads ? bright : dim, bold: leads };
    });
    const bars = names.map((name, i) => [mood.emotion.scores[i]!, this.colour(name)] as const);
    const panel = this.#rows(context, rows, bars);
    const least = Math.max(SMALLEST_TEXT, sizes.leastPanel);
    const spots = (text: number): readonly Box[] => spotsAround(head, panel.size(text), frame, sizes.gap, true);
    let text = fitting(panel, sizes.small, frame) ?? 0;
    if (text < least) return;
    while (text > least && !clearSpot(spots(text), taken)) text--;
    const spot = clearSpot(spots(text), taken) ?? (sizes.leastPanel > 0 ? leastCovering(spots(text), [taken]) : null);
    if (!spot) return;
    taken.push(spot);
    panel.draw(spot, text);
  }

  #label(context: Context, mood: Mood, showId: boolean): Card {
    const { bright, dim, dark } = this.#settings.overlay;
    const { label, confidence } = mood.emotion;
    const known = label !== this.#settings.unsure;
    const words: Word[] = [{ text: printable(wordsOf(mood), 48), colour: bright, bold: true }];
    if (known) words.push({ text: `${Math.round(100 * confidence)}%`, colour: bright, bold: false });
    if (mood.reason) words.push({ text: printable(mood.reason), colour: dim, bold: false });
    if (showId) words.push({ text: `#${mood.track.id}`, colour: dim, bold: false });
    return {
      size: (text) => {
        const widths = words.reduce((sum, word) => sum + measured(context, word, text), 0);
        return { width: Math.ceil(widths) + (words.length + 1) * pad(text), height: Math.round(1.75 * text) };
      },
      draw: (spot, text) => {
        this.#plate(context, spot, text);
        let x = spot.left + pad(text);
        for (const word of words) {
          write(context, word, x, spot.top + Math.round(1.1 * text), text);
          x += measured(context, word, text) + pad(text);
        }
        const thick = Math.max(2, Math.round(text / 7));
        const bar = {
          left: spot.left + pad(text),
          top: spot.bottom - 2 * thick,
          right: spot.right - pad(text),
          bottom: spot.bottom - thick,
        };
        if (known) fillBar(context, bar, confidence, this.colour(label), dark);
      },
    };
  }

  #rows(context: Context, rows: readonly Word[], bars: readonly (readonly [number, Colour])[]): Card {
    const { dark } = this.#settings.overlay;
    return {
      size: (text) => {
        // Measured in bold, so that the card keeps its width when another emotion leads.
        const names = Math.max(0, ...rows.map((row) => measured(context, { ...row, bold: true }, text)));
        const wide = bars.length > 0 ? 5 * text + pad(text) : 0;
        return {
          width: Math.ceil(names) + wide + 2 * pad(text),
          height: Math.round(1.35 * text) * rows.length + pad(text),
        };
      },
      draw: (spot, text) => {
        this.#plate(context, spot, text);
        rows.forEach((row, i) => {
          const y = spot.top + Math.floor(pad(text) / 2) + text + Math.round(1.35 * text) * i;
          write(context, row, spot.left + pad(text), y, text);
          const bar = bars[i];
          if (!bar) return;
          const right = spot.right - pad(text);
          const place = { left: right - 5 * text, top: y - 0.6 * text, right, bottom: y - 0.1 * text };
          fillBar(context, place, bar[0], bar[1], dark);
        });
      },
    };
  }

  #plate(context: Context, spot: Box, text: number): void {
    const { dark, plate_opacity: opacity } = this.#settings.overlay;
    context.fillStyle = css(dark, opacity);
    context.beginPath();
    context.roundRect(spot.left, spot.top, width(spot), height(spot), 0.35 * text);
    context.fill();
  }

  /** The four corners of a face's box, just outside it, in colour over a dark outline. */
  #brackets(context: Context, face: Box, colour: Colour, sizes: Sizes): void {
    const middle = grown(face, sizes.reach / 2);
    const side = Math.min(width(middle), height(middle));
    const [radius, leg] = [0.08 * side, 0.22 * side];
    const corners: readonly (readonly [Point, number, number])[] = [
      [[middle.left, middle.top], 1, 1],
      [[middle.right, middle.top], -1, 1],
      [[middle.right, middle.bottom], -1, -1],
      [[middle.left, middle.bottom], 1, -1],
    ];
    const stroke = (thick: number, longer: number, style: string): void => {
      context.lineWidth = thick;
      context.strokeStyle = style;
      context.lineCap = "butt";
      context.beginPath();
      for (const [[x, y], right, down] of corners) {
        context.moveTo(x, y + down * (leg + longer));
        context.arcTo(x, y, x + right * leg, y, radius);
        context.lineTo(x + right * (leg + longer), y);
      }
      context.stroke();
    };
    stroke(sizes.reach, sizes.outline, css(this.#settings.overlay.dark));
    stroke(sizes.line, 0, css(colour));
  }

  /** Replace a face, with a margin, by a coarse mosaic. */
  #hide(context: Context, head: Box): void {
    const { mosaic_cells: across, mosaic_margin: margin } = this.#settings.overlay;
    const found = mosaicOf(head, context.canvas, across, margin);
    if (!found) return;
    const [part, cells] = found;
    const coarse = new OffscreenCanvas(cells.width, cells.height);
    const small = coarse.getContext("2d")!;
    small.imageSmoothingQuality = "high";
    small.drawImage(context.canvas, part.left, part.top, width(part), height(part), 0, 0, cells.width, cells.height);
    context.imageSmoothingEnabled = false;
    context.drawImage(coarse, part.left, part.top, width(part), height(part));
    context.imageSmoothingEnabled = true;
  }
}

function fitting(card: Card, text: number, frame: Size): number | null {
  for (let smaller = text; smaller >= SMALLEST_TEXT; smaller--) {
    const size = card.size(smaller);
    if (size.width <= frame.width && size.height <= frame.height) return smaller;
  }
  return null;
}

function printable(text: string, limit = LONGEST_LABEL): string {
  const clean = text.replace(/\p{C}/gu, "?");
  return clean.length <= limit ? clean : `${clean.slice(0, limit - 1)}…`;
}

function font(word: Word, px: number): string {
  return `${word.bold ? 600 : 400} ${px}px system-ui, sans-serif`;
}

function measured(context: Context, word: Word, px: number): number {
  context.font = font(word, px);
  return context.measureText(word.text).width;
}

function write(context: Context, word: Word, x: number, y: number, px: number): void {
  context.font = font(word, px);
  context.fillStyle = css(word.colour);
  context.fillText(word.text, x, y);
}

function pad(text: number): number {
  return Math.round(0.5 * text);
}

function fillBar(context: Context, bar: Box, share: number, colour: Colour, dark: Colour): void {
  context.fillStyle = css(dark);
  context.fillRect(bar.left, bar.top, width(bar), height(bar));
  context.fillStyle = css(colour);
  context.fillRect(bar.left, bar.top, width(bar) * share, height(bar));
}
