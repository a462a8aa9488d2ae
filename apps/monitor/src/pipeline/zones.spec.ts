import type { Zone } from '#libs/contracts/captures.js';
import type { DetectedObject } from '#libs/contracts/primitives.js';
import { contains, withinZones } from './zones.js';

type Points = [number, number][];

const square = (from: number, to: number): Points => [
  [from, from],
  [to, from],
  [to, to],
  [from, to],
];
const zone = (kind: Zone['kind'], points: Points, ...labels: string[]): Zone => ({
  ...{ id: '00000000-0000-4000-8000-000000000001', streamId: '00000000-0000-4000-8000-000000000002' },
  ...{ kind, points, labels },
});
/** Stands with its foot at a place of a picture of 200 × 100 pixels. */
const object = (label: string, x: number, y: number): DetectedObject => ({
  ...{ label, score: 0.9 },
  box: [x * 200 - 10, 0, x * 200 + 10, y * 100],
});
const kept = (objects: DetectedObject[], ...zones: Zone[]): string[] =>
  withinZones(objects, { width: 200, height: 100 }, zones).map(({ label }) => label);

describe('withinZones', () => {
  it('leaves everything where there are no zones', () => {
    expect(kept([object('person', 0.1, 0.1)])).toEqual(['person']);
  });

  it('counts by where an object stands, not by where it is', () => {
    const zones = zone('include', square(0.5, 1));
    // The box reaches from the top of the picture into the zone, or hangs above it.
    expect(kept([object('in', 0.7, 0.7), object('above', 0.7, 0.4), object('beside', 0.4, 0.7)], zones)).toEqual([
      'in',
    ]);
  });

  it('takes any include zone, and lets an exclude zone win', () => {
    const zones = [zone('include', square(0, 0.4)), zone('include', square(0.6, 1)), zone('exclude', square(0.8, 1))];
    const objects = [object('a', 0.2, 0.2), object('b', 0.5, 0.5), object('c', 0.7, 0.7), object('d', 0.9, 0.9)];
    expect(kept(objects, ...zones)).toEqual(['a', 'c']);
  });

  it('holds a label to the zones for it alone, whatever the case', () => {
    const zones = [zone('include', square(0, 0.5), 'Person'), zone('exclude', square(0, 0.5), 'dog')];
    const everywhere = (label: string): DetectedObject[] => [object(label, 0.25, 0.25), object(label, 0.75, 0.75)];
    expect(kept(everywhere('person'), ...zones)).toHaveLength(1);
    expect(kept(everywhere('dog'), ...zones)).toHaveLength(1);
    expect(kept(everywhere('cat'), ...zones)).toHaveLength(2);
  });
});

describe('contains', () => {
  it('has edges and corners inside', () => {
    for (const point of [
      [0.2, 0.2],
      [0.5, 0.2],
      [0.8, 0.8],
      [0.2, 0.5],
    ] as const) {
      expect([point, contains(square(0.2, 0.8), point)]).toEqual([point, true]);
    }
    expect(contains(square(0, 1), [0.5, 1])).toBe(true);
    expect(contains(square(0.2, 0.8), [0.5, 0.8001])).toBe(false);
    expect(contains(square(0.2, 0.8), [0.9, 0.8])).toBe(false);
  });

  it('follows a concave outline', () => {
    const horseshoe: Points = [
      [0.1, 0.1],
      [0.3, 0.1],
      [0.3, 0.7],
      [0.7, 0.7],
      [0.7, 0.1],
      [0.9, 0.1],
      [0.9, 0.9],
      [0.1, 0.9],
    ];
    expect([0.2, 0.5, 0.8].map((x) => contains(horseshoe, [x, 0.4]))).toEqual([true, false, true]);
    expect(contains(horseshoe, [0.5, 0.8])).toBe(true);
  });

  it('has outside what a self-crossing outline surrounds twice', () => {
    const star: Points = [0, 2, 4, 1, 3].map((corner) => {
      const angle = (corner * 2 * Math.PI) / 5 - Math.PI / 2;
      return [0.5 + 0.5 * Math.cos(angle), 0.5 + 0.5 * Math.sin(angle)];
    });
    expect(contains(star, [0.5, 0.5])).toBe(false);
    expect(contains(star, [0.5, 0.15])).toBe(true);
  });

  it('bears points that fall together, and a line that is no area', () => {
    const line: Points = [
      [0.1, 0.1],
      [0.1, 0.1],
      [0.9, 0.9],
    ];
    expect(contains(line, [0.5, 0.5])).toBe(true);
    expect(contains(line, [0.5, 0.6])).toBe(false);
  });
});
