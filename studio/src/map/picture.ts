/** The map as a file: PNG as it is seen, SVG as shapes. */
import { css, type Palette } from "./colours.js";
import { HANDLE } from "./planPath.js";
import type { Dots } from "./renderer.js";
import { type Place, type Size, toScreen, type View } from "./view.js";

/** What is drawn above the points. */
export interface Overlay {
  /** Paths through points. */
  tracks: readonly (readonly Place[])[];
  /** Of a plan, in their order. */
  waypoints: readonly Place[];
}

/** Layers of canvases, the lowest first, on a ground. */
export function pngOf(layers: readonly HTMLCanvasElement[], ground: string): Promise<Blob> {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [layers[0]!.width, layers[0]!.height];
  const pen = canvas.getContext("2d")!;
  pen.fillStyle = ground;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  for (const layer of layers) pen.drawImage(layer, 0, 0);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the browser made no picture"))), "image/png"),
  );
}

/** What is in view, as shapes; each point has its text as a title. */
export function svgOf(
  dots: Dots,
  texts: (i: number) => string,
  { tracks, waypoints }: Overlay,
  { view, size, palette, ground }: { view: View; size: Size; palette: Palette; ground: string },
): Blob {
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${size.height}" viewBox="0 0 ${size.width} ${size.height}">`,
    `<rect width="100%" height="100%" fill="${ground}"/>`,
  ];
  const number = (value: number) => value.toFixed(1);
  for (const [i, diameter] of dots.sizes.entries()) {
    const { x, y } = toScreen({ x: dots.places[2 * i]!, y: dots.places[2 * i + 1]! }, view, size);
    if (x < 0 || y < 0 || x > size.width || y > size.height) continue;
    const [red, green, blue, alpha] = dots.colours.subarray(4 * i, 4 * i + 4);
    const fill = `fill="rgb(${red},${green},${blue})" fill-opacity="${(alpha! / 255).toFixed(2)}"`;
    const title = `<title>${escaped(texts(i))}</title>`;
    parts.push(`<circle cx="${number(x)}" cy="${number(y)}" r="${diameter / 2}" ${fill}>${title}</circle>`);
  }
  for (const track of tracks) {
    const line = track.map((place) => toScreen(place, view, size)).map(({ x, y }) => `${number(x)},${number(y)}`);
    parts.push(`<polyline points="${line.join(" ")}" fill="none" stroke="${css(palette.accent)}" stroke-width="1.2"/>`);
  }
  for (const [i, waypoint] of waypoints.entries()) {
    const { x, y } = toScreen(waypoint, view, size);
    const [at, ink] = [`cx="${number(x)}" cy="${number(y)}"`, css(palette.accent)];
    parts.push(`<circle ${at} r="${HANDLE}" fill="${css(palette.sheet)}" stroke="${ink}" stroke-width="1.5"/>`);
    const text = `x="${number(x)}" y="${number(y)}" dy="0.35em" text-anchor="middle" font-size="11"`;
    parts.push(`<text ${text} font-family="sans-serif" fill="${ink}">${i + 1}</text>`);
  }
  return new Blob([...parts.map((part) => `${part}\n`), "</svg>\n"], { type: "image/svg+xml" });
}

/** Hands a file to the browser. */
export function save(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  [link.href, link.download] = [url, name];
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

function escaped(text: string): string {
  return text.trim().replace(/[<>&]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
