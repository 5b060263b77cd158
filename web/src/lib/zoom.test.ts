import { describe, expect, it } from 'vitest';
import { LARGEST, moved, WHOLE, zoomAt } from './zoom';

const FRAME = { width: 400, height: 200 };

describe('zoom', () => {
  it('keeps the point under the finger where it is', () => {
    const point = { x: 50, y: -20 };
    const once = zoomAt(WHOLE, 2, point, FRAME);
    expect(once).toEqual({ scale: 2, x: -50, y: 20 });
    const picture = { x: (point.x - once.x) / once.scale, y: (point.y - once.y) / once.scale };
    expect(picture).toEqual(point);
  });

  it('is never smaller than the frame nor larger than there is to see', () => {
    expect(zoomAt(WHOLE, 0.2, { x: 10, y: 10 }, FRAME)).toEqual(WHOLE);
    expect(zoomAt(WHOLE, 100, { x: 0, y: 0 }, FRAME).scale).toBe(LARGEST);
  });

  it('does not leave the frame empty at an edge', () => {
    const large = zoomAt(WHOLE, 2, { x: 0, y: 0 }, FRAME);
    expect(moved(large, 1000, -1000, FRAME)).toEqual({ scale: 2, x: 200, y: -100 });
    expect(moved(WHOLE, 30, 30, FRAME)).toEqual(WHOLE);
  });
});
