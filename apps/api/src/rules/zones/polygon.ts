import type { RelativePoint } from '#libs/contracts/primitives.js';

/** Below this share of the picture a polygon holds nothing: it is a point or a line, but for rounding. */
const LEAST_AREA = 1e-6;

/** What is wrong with a polygon as a zone; null when nothing is. */
export function faultOf(points: readonly RelativePoint[]): string | null {
  const distinct = new Set(points.map(([x, y]) => `${String(x)} ${String(y)}`));
  if (distinct.size < 3) return 'A zone needs at least three different points.';
  if (areaOf(points) < LEAST_AREA) {
    return 'The zone has no area: its points lie on a line, or its halves cancel out. Move some of them.';
  }
  return null;
}

/** Area as a share of the picture, by the shoelace formula. */
function areaOf(points: readonly RelativePoint[]): number {
  let twice = 0;
  let [x, y] = points.at(-1) ?? [0, 0];
  for (const [nextX, nextY] of points) {
    twice += x * nextY - nextX * y;
    [x, y] = [nextX, nextY];
  }
  return Math.abs(twice) / 2;
}
