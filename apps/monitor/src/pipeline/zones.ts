import type { Zone } from '#libs/contracts/captures.js';
import type { DetectedObject } from '#libs/contracts/primitives.js';

/** A point as parts of the picture's width and height, 0 to 1. */
type Point = readonly [number, number];

/** Slack of "on the edge", parts of the picture: far less than a pixel. */
const EPSILON = 1e-9;

/**
 * Leaves the objects that count. An object counts when the middle of its box's lower edge, where it stands, lies in
 * one of the include zones for its label, if there are such, and in no exclude zone for it. Pure.
 * @param frame size of the picture that the boxes are in, pixels
 * @param zones those of this stream
 */
export function withinZones(
  objects: readonly DetectedObject[],
  frame: Readonly<{ width: number; height: number }>,
  zones: readonly Zone[],
): readonly DetectedObject[] {
  if (zones.length === 0) return objects;
  return objects.filter(({ label, box: [x1, , x2, y2] }) => {
    const foot: Point = [(x1 + x2) / 2 / frame.width, y2 / frame.height];
    const mine = zones.filter(({ labels }) => isFor(labels, label));
    const included = mine.filter(({ kind }) => kind === 'include');
    if (included.length > 0 && !included.some(({ points }) => contains(points, foot))) return false;
    return !mine.some(({ kind, points }) => kind === 'exclude' && contains(points, foot));
  });
}

function isFor(labels: readonly string[], label: string): boolean {
  return labels.length === 0 || labels.some((name) => name.toLowerCase() === label.toLowerCase());
}

/**
 * Whether a point lies in a polygon, by the even-odd rule: a ray from the point crosses the outline an odd number of
 * times. A point on the outline lies inside. Concave polygons are as drawn; where a polygon crosses itself, what it
 * surrounds twice is outside. The last point is joined to the first.
 */
export function contains(points: readonly Point[], [x, y]: Point): boolean {
  let inside = false;
  let [fromX, fromY] = points.at(-1) ?? [0, 0];
  for (const [toX, toY] of points) {
    if (isOn([fromX, fromY], [toX, toY], [x, y])) return true;
    // Half open in y, so that a corner counts for one of its two edges.
    if (fromY > y !== toY > y && x < fromX + ((y - fromY) / (toY - fromY)) * (toX - fromX)) inside = !inside;
    [fromX, fromY] = [toX, toY];
  }
  return inside;
}

/** Whether a point lies on the line between two others. */
function isOn([x1, y1]: Point, [x2, y2]: Point, [x, y]: Point): boolean {
  const length = Math.hypot(x2 - x1, y2 - y1);
  if (length < EPSILON) return Math.hypot(x - x1, y - y1) < EPSILON;
  const along = ((x - x1) * (x2 - x1) + (y - y1) * (y2 - y1)) / length;
  const aside = Math.abs((x - x1) * (y2 - y1) - (y - y1) * (x2 - x1)) / length;
  return aside < EPSILON && along > -EPSILON && along < length + EPSILON;
}
