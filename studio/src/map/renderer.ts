/** Draws points with WebGL2: one call for all of them, so that 100,000 move at once. */
import type { View } from "./view.js";

const VERTEX = `#version 300 es
in vec2 place;
in vec4 colour;
in float size;
uniform vec2 centre;
uniform vec2 toClip;
uniform float ratio;
out vec4 ink;
void main() {
  gl_Position = vec4((place - centre) * toClip, 0, 1);
  gl_PointSize = size * ratio;
  ink = colour;
}`;

const FRAGMENT = `#version 300 es
precision mediump float;
in vec4 ink;
out vec4 pixel;
void main() {
  float alpha = ink.a * smoothstep(0.5, 0.4, distance(gl_PointCoord, vec2(0.5)));
  pixel = vec4(ink.rgb * alpha, alpha);
}`;

/** Points as the card takes them. */
export interface Dots {
  /** x and y of each. */
  places: Float32Array;
  /** Red, green, blue and alpha of each. */
  colours: Uint8Array;
  /** Diameter of each, in CSS pixels. */
  sizes: Uint8Array;
}

export class PointRenderer {
  #count = 0;

  private constructor(
    readonly gl: WebGL2RenderingContext,
    readonly program: WebGLProgram,
    readonly buffers: Readonly<Record<keyof Dots, WebGLBuffer>>,
  ) {}

  /** None where the browser has no WebGL2. */
  static on(canvas: HTMLCanvasElement): PointRenderer | undefined {
    const gl = canvas.getContext("webgl2", { antialias: false });
    if (!gl) return undefined;
    const program = gl.createProgram();
    for (const [type, source] of [
      [gl.VERTEX_SHADER, VERTEX],
      [gl.FRAGMENT_SHADER, FRAGMENT],
    ] as const) {
      const shader = gl.createShader(type)!;
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const buffer = (name: string, size: number, type: number, normalized: boolean) => {
      const made = gl.createBuffer();
      const at = gl.getAttribLocation(program, name);
      gl.bindBuffer(gl.ARRAY_BUFFER, made);
      gl.enableVertexAttribArray(at);
      gl.vertexAttribPointer(at, size, type, normalized, 0, 0);
      return made;
    };
    return new PointRenderer(gl, program, {
      places: buffer("place", 2, gl.FLOAT, false),
      colours: buffer("colour", 4, gl.UNSIGNED_BYTE, true),
      sizes: buffer("size", 1, gl.UNSIGNED_BYTE, false),
    });
  }

  /** Hands points to the card. */
  take(dots: Dots): void {
    const { gl, buffers } = this;
    this.#count = dots.sizes.length;
    for (const name of ["places", "colours", "sizes"] as const) {
      gl.bindBuffer(gl.ARRAY_BUFFER, buffers[name]);
      gl.bufferData(
        gl.ARRAY_BUFFER,
        dots[name] as Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>,
        gl.DYNAMIC_DRAW,
      );
    }
  }

  /** Draws what was taken, on a canvas of `width` x `height` CSS pixels. */
  draw({ x, y, scale }: View, width: number, height: number, ratio: number): void {
    const { gl, program } = this;
    const uniform = (name: string) => gl.getUniformLocation(program, name);
    gl.viewport(0, 0, width * ratio, height * ratio);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(uniform("centre"), x, y);
    gl.uniform2f(uniform("toClip"), (2 * scale) / width, (-2 * scale) / height);
    gl.uniform1f(uniform("ratio"), ratio);
    gl.drawArrays(gl.POINTS, 0, this.#count);
  }
}
