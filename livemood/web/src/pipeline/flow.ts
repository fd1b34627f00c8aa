/** Motion of a face between two frames by optical flow, as in `livemood/detection/optical_flow.py`. */

import type { FlowSettings } from "../settings";
import { type Box, type Detection, type Picture, type Point, asFloat32, centre, height, width } from "../values";
import { agreement } from "./agreement";
import { type Pyramid, follow, pyramid } from "./lucaskanade";
import { cornerAndSide, cutOut } from "./pixels";

const f32 = Math.fround;

/** A window of one frame, scaled down and grey. */
export interface GreyWindow {
  readonly pyramid: Pyramid;
  readonly window: Box;
}

/** Cut out a window, scaled down and grey. */
export function greyWindow(picture: Picture, window: Box, settings: FlowSettings): GreyWindow {
  return { pyramid: pyramid(cutOut(picture, window, settings.side_px, true).data, settings.side_px), window };
}

/** Return the face moved, rotated and scaled according to the flow; null where the flow is unreliable. */
export function moved(
  face: Detection,
  before: GreyWindow,
  now: GreyWindow,
  settings: FlowSettings,
): Detection | null {
  const [left, top, side] = cornerAndSide(now.window);
  // Rounded to float32 in the same steps as numpy, so that points fall into the same pixels.
  const scale = f32(side / settings.side_px);
  const [middleX, middleY] = asFloat32(centre(face.box));
  const [across, down] = [f32(width(face.box)), f32(height(face.box))];
  const inWindow = ([x, y]: Point): Point => [f32(f32(x - left) / scale), f32(f32(y - top) / scale)];
  const points = settings.grid.map(([x, y]) => inWindow([f32(middleX + f32(x * across)), f32(middleY + f32(y * down))]));
  const tracked = follow(before.pyramid, now.pyramid, points);
  const good = tracked.map((point) => point.found && point.change < settings.most_change);
  const count = good.filter(Boolean).length;
  if (count / points.length < settings.fewest_agreeing) return null;
  const fit = agreement(
    points.filter((_, i) => good[i]),
    tracked.filter((_, i) => good[i]).map((point) => point.at),
  );
  if (!fit || fit.agreeing < settings.fewest_agreeing * points.length) return null;
  const { a, b, c, d } = fit.found;
  const growth = Math.hypot(a, b);
  if (growth <= 1 / settings.most_growth || growth >= settings.most_growth) return null;
  const carried = (point: Point): Point => {
    const [x, y] = inWindow(point);
    return [(a * x - b * y + c) * scale + left, (b * x + a * y + d) * scale + top];
  };
  const [x, y] = carried([middleX, middleY]);
  const [halfX, halfY] = [(across * growth) / 2, (down * growth) / 2];
  return {
    box: { left: x - halfX, top: y - halfY, right: x + halfX, bottom: y + halfY },
    keypoints: face.keypoints.map((point) => asFloat32(carried(point))),
    score: face.score,
  };
}
