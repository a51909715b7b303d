/** The part of the plane that is seen. */
export interface Place {
  x: number;
  y: number;
}

/** Pixels of the screen. */
export interface Size {
  width: number;
  height: number;
}

/** The place in the middle, and CSS pixels for each unit of the plane. */
export interface View extends Place {
  scale: number;
}

/** All points in view. */
export function viewOfAll(points: readonly Place[], { width, height }: Size): View {
  let [left, right, top, bottom] = [0, 0, 0, 0];
  if (points[0]) [left, right, top, bottom] = [points[0].x, points[0].x, points[0].y, points[0].y];
  for (const { x, y } of points) {
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  const scale = 0.86 * Math.min(width / Math.max(right - left, 1), height / Math.max(bottom - top, 1));
  return { x: (left + right) / 2, y: (top + bottom) / 2, scale };
}

export function toScreen({ x, y }: Place, view: View, { width, height }: Size): Place {
  return { x: width / 2 + (x - view.x) * view.scale, y: height / 2 + (y - view.y) * view.scale };
}

export function toPlane({ x, y }: Place, view: View, { width, height }: Size): Place {
  return { x: view.x + (x - width / 2) / view.scale, y: view.y + (y - height / 2) / view.scale };
}

/** Moved by CSS pixels. */
export function panned(view: View, dx: number, dy: number): View {
  return { ...view, x: view.x - dx / view.scale, y: view.y - dy / view.scale };
}

/** Larger by a factor, around a place of the screen. */
export function zoomed(view: View, factor: number, around: Place, size: Size): View {
  const larger = { ...view, scale: view.scale * factor };
  const [before, after] = [toPlane(around, view, size), toPlane(around, larger, size)];
  return { ...larger, x: view.x + before.x - after.x, y: view.y + before.y - after.y };
}

/** The point nearest to a place of the plane, within a distance. */
export function nearestPoint<T extends Place>(points: readonly T[], { x, y }: Place, within: number): T | undefined {
  let found: T | undefined;
  let least = within * within;
  for (const point of points) {
    const distance = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (distance < least) [found, least] = [point, distance];
  }
  return found;
}

/** Whether a place lies within a polygon. */
export function isInside({ x, y }: Place, polygon: readonly Place[]): boolean {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i++) {
    const [a, b] = [polygon[i]!, polygon[j]!];
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  }
  return inside;
}
