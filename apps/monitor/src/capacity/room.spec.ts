import { roomOf, usableCores, type Measurement } from './room.js';

const idle: Measurement = {
  ...{ streams: 0, cores: 4, busyCores: 0, ownCores: 0, memoryFreeMb: 100_000 },
  inference: { perSecond: 80, queued: 0 },
};

describe('room for streams', () => {
  it('is what the scarcest of all leaves', () => {
    expect(roomOf(idle, 500)).toMatchObject({ limitedBy: 'cpu', room: 113 });
    expect(roomOf({ ...idle, memoryFreeMb: 256 + 95 }, 500)).toMatchObject({ limitedBy: 'memory', room: 1 });
    expect(roomOf({ ...idle, inference: { perSecond: 2, queued: 0 } }, 500)).toMatchObject({
      limitedBy: 'inference',
      room: 10,
    });
    expect(roomOf({ ...idle, streams: 3 }, 3)).toMatchObject({ limitedBy: 'setting', room: 0 });
    expect(roomOf({ ...idle, inference: null }, 500).limitedBy).toBe('cpu');
  });

  it('takes the measured cost of a stream once there are some', () => {
    const measured = { ...idle, streams: 10, busyCores: 0.95, ownCores: 1 };
    expect(roomOf(measured, 500).room).toBe(24);
    expect(roomOf({ ...measured, ownCores: 0.5 }, 500).room).toBe(49);
  });

  it('is none when frames queue for the model', () => {
    expect(roomOf({ ...idle, inference: { perSecond: 20, queued: 25 } }, 500)).toMatchObject({
      limitedBy: 'inference',
      room: 0,
      detail: 'No room for more: inference is used up.',
    });
  });

  it('keeps half of a machine that others keep busy, and not more', () => {
    const crowded = { ...idle, busyCores: 4 };
    expect(roomOf(crowded, 500).room).toBe(56);
    expect(roomOf({ ...crowded, streams: 20, ownCores: 2 }, 500).room).toBe(0);
  });

  it('is that of the container, however large and idle the machine around it is', () => {
    const machine = { cores: 64, busyCores: 1.7 };
    const room = (limit: number | null, ownCores: number, busy = machine): number =>
      roomOf({ ...idle, inference: null, streams: 10, ownCores, ...usableCores(limit, busy, ownCores) }, 5_000).room;
    expect(usableCores(null, machine, 1)).toBe(machine);
    expect(usableCores(64, machine, 1)).toBe(machine);
    // Of the machine much is left; of 2 processors what the container has not used itself.
    expect(room(null, 1)).toBeGreaterThan(500);
    expect(room(2, 0.9)).toBe(8);
    expect(room(2, 1.7)).toBe(0);
    // Neighbours that fill the machine leave a container less than its limit, and half of it still.
    expect(usableCores(2, { cores: 64, busyCores: 63.5 }, 0.2)).toEqual({ cores: 2, busyCores: 1.5 });
  });
});
