/** Latents as texts: base64 of little-endian fp32. */

export function textOfLatent(z: Float32Array): string {
  return Buffer.from(z.buffer, z.byteOffset, z.byteLength).toString("base64");
}

/** Throws a RangeError for a text of another number of bytes than whole values take. */
export function latentOfText(text: string): Float32Array {
  return new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer);
}
