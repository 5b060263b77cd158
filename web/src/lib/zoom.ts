/** A picture larger than its frame: how far it is enlarged, and where it lies (CSS pixels from the middle). */
export interface Zoom {
  scale: number;
  x: number;
  y: number;
}

export interface Size {
  width: number;
  height: number;
}

export const WHOLE: Zoom = { scale: 1, x: 0, y: 0 };
/** Beyond this a picture of 1600 pixels shows nothing new on any screen. */
export const LARGEST = 8;

/** Not further than its edge may come to the edge of the frame. */
function within(zoom: Zoom, frame: Size): Zoom {
  const reach = (length: number): number => (length * (zoom.scale - 1)) / 2;
  const clamp = (value: number, most: number): number => Math.min(most, Math.max(-most, value));
  return { scale: zoom.scale, x: clamp(zoom.x, reach(frame.width)), y: clamp(zoom.y, reach(frame.height)) };
}

/**
 * Enlarges around a point, which stays where it is.
 *
 * @param factor above 1 enlarges
 * @param point from the middle of the frame
 */
export function zoomAt(zoom: Zoom, factor: number, point: { x: number; y: number }, frame: Size): Zoom {
  const scale = Math.min(LARGEST, Math.max(1, zoom.scale * factor));
  const grown = scale / zoom.scale;
  return within({ scale, x: point.x - (point.x - zoom.x) * grown, y: point.y - (point.y - zoom.y) * grown }, frame);
}

/** Moves it by so much. */
export function moved(zoom: Zoom, dx: number, dy: number, frame: Size): Zoom {
  return within({ scale: zoom.scale, x: zoom.x + dx, y: zoom.y + dy }, frame);
}
