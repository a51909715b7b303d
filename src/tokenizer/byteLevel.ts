/** The alphabet of byte-level BPE: one printable character per byte (GPT-2 encoder.py, bytes_to_unicode). */

/** characterOfByte[byte] */
export const characterOfByte: readonly string[] = buildAlphabet();
/** byteOfCharacter[code], -1 for a character outside the alphabet. */
export const byteOfCharacter: Int16Array = new Int16Array(324).fill(-1);
for (const [byte, character] of characterOfByte.entries()) byteOfCharacter[character.charCodeAt(0)] = byte;

function buildAlphabet(): string[] {
  let next = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCharCode(printable ? byte : next++);
  });
}
