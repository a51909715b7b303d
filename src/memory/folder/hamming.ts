/** Counts the bits in which codes differ: a loop in WebAssembly, which counts the bits of 64 at once where JavaScript has no such operation. */

/** Compares `count` codes from the address `codes` on with the one at address 0, and writes the bits that differ from `target` on, two bytes each. */
export type CountDifferences = (codes: number, count: number, target: number) => void;

const [I32, I64] = [0x7f, 0x7e];

/** Of the specification of WebAssembly, section 5.4; loads and stores are told their alignment and an offset. */
const OP = {
  loop: [0x03, 0x40],
  repeatIf: [0x0d, 0],
  end: [0x0b],
  get: (local: number) => [0x20, ...unsigned(local)],
  set: (local: number) => [0x21, ...unsigned(local)],
  setAndKeep: (local: number) => [0x22, ...unsigned(local)],
  loadI64: (offset: number) => [0x29, 3, ...unsigned(offset)],
  storeI16: [0x3b, 1, 0],
  // Constants are signed: the bit 0x40 of their last byte is the sign.
  constant: (value: number) => [0x41, 0x80 | (value & 0x7f), value >> 7],
  addI32: [0x6a],
  subtractI32: [0x6b],
  countBits: [0x7b],
  addI64: [0x7c],
  differingBits: [0x85],
  lowI32: [0xa7],
};

/** The loop for codes of `codeBytes` in a memory: a multiple of 8, less than 8192. */
export function countDifferences(memory: WebAssembly.Memory, codeBytes: number): CountDifferences {
  const instance = new WebAssembly.Instance(new WebAssembly.Module(moduleBytes(codeBytes)), { env: { memory } });
  return instance.exports.count as CountDifferences;
}

function moduleBytes(codeBytes: number): Uint8Array<ArrayBuffer> {
  const words = codeBytes / 8;
  const body = [...list([[...unsigned(words), I64]]), ...loopOver(words)];
  return Uint8Array.from([
    ...[0, ...utf8("asm"), 1, 0, 0, 0],
    ...section(1, [[0x60, ...list([[I32], [I32], [I32]]), 0]]),
    ...section(2, [[...text("env"), ...text("memory"), 0x02, 0x00, 1]]),
    ...section(3, [[0]]),
    ...section(7, [[...text("count"), 0x00, 0]]),
    ...section(10, [[...unsigned(body.length), ...body]]),
  ]);
}

function loopOver(words: number): number[] {
  const [codes, count, target] = [0, 1, 2];
  const all = Array.from({ length: words }, (_, word) => word);
  /** The local that holds a word of the code that others are compared with. */
  const own = (word: number) => 3 + word;
  const moved = (local: number, bytes: number) => [
    ...[OP.get(local), OP.constant(bytes), OP.addI32, OP.set(local)].flat(),
  ];
  return [
    ...all.flatMap((word) => [OP.constant(0), OP.loadI64(8 * word), OP.set(own(word))]),
    OP.loop,
    OP.get(target),
    ...all.flatMap((word) => [
      ...[OP.get(codes), OP.loadI64(8 * word), OP.get(own(word)), OP.differingBits, OP.countBits],
      ...(word > 0 ? [OP.addI64] : []),
    ]),
    ...[OP.lowI32, OP.storeI16],
    ...[moved(codes, 8 * words), moved(target, 2)],
    ...[OP.get(count), OP.constant(1), OP.subtractI32, OP.setAndKeep(count), OP.repeatIf],
    ...[OP.end, OP.end],
  ].flat();
}

function section(id: number, items: readonly number[][]): number[] {
  const content = list(items);
  return [id, ...unsigned(content.length), ...content];
}

function list(items: readonly number[][]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function text(value: string): number[] {
  return list(utf8(value).map((byte) => [byte]));
}

function utf8(value: string): number[] {
  return [...new TextEncoder().encode(value)];
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [0x80 | (value & 0x7f), ...unsigned(value >>> 7)];
}
