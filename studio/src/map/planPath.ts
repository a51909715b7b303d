/** A plan on the map: the way through its waypoints, and a numbered handle for each. */
import { css, type Palette } from "./colours.js";
import type { Place } from "./view.js";

/** Radius of a handle, in CSS pixels. */
export const HANDLE = 9;

/** Draws the way from where the text ends, and the handles: full where the text has reached the waypoint. Places are of the screen. */
export function drawPlan(
  pen: CanvasRenderingContext2D,
  {
    from,
    handles,
  }: { from: Place | undefined; handles: readonly (Place & { isReached: boolean; isChosen: boolean })[] },
  { accent, sheet }: Palette,
): void {
  pen.save();
  pen.strokeStyle = css(accent);
  pen.lineWidth = 1.5;
  pen.setLineDash([6, 4]);
  pen.beginPath();
  for (const { x, y } of [...(from ? [from] : []), ...handles]) pen.lineTo(x, y);
  pen.stroke();
  pen.setLineDash([]);
  pen.font = "600 11px system-ui, sans-serif";
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  const circle = ({ x, y }: Place, radius: number) => {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 7);
  };
  // The chosen one above all others.
  const order = handles.map((handle, i) => ({ handle, i })).sort((a, b) => +a.handle.isChosen - +b.handle.isChosen);
  for (const { handle, i } of order) {
    circle(handle, HANDLE);
    pen.fillStyle = css(handle.isReached ? accent : sheet);
    pen.fill();
    pen.stroke();
    pen.fillStyle = css(handle.isReached ? sheet : accent);
    pen.fillText(String(i + 1), handle.x, handle.y + 0.5);
    if (!handle.isChosen) continue;
    circle(handle, HANDLE + 3.5);
    pen.stroke();
  }
  pen.restore();
}
