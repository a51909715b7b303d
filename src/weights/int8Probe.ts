/** Whether a machine multiplies int8 exactly: without instructions for it, sums of two products are cut off at 2^15. */
import { BigVaeError } from "../errors.js";
import { input, packedInput, packedLinear } from "../graph/index.js";
import { float32, type Runtime } from "../runtime/runtime.js";
import { packColumns, weightTensors } from "./weight.js";

const WIDTH = 64;

/** Multiplies the largest values by the largest values. */
export async function saturatesInInt8(runtime: Runtime): Promise<boolean> {
  const ones = new Float32Array(WIDTH * WIDTH).fill(1);
  const packed = packColumns(ones, [WIDTH, WIDTH]);
  const y = packedLinear(input("x", [1, WIDTH]), packedInput("w", packed.format, packed.shape));
  const session = await runtime.createSession({ y });
  const weight = weightTensors("w", packed);
  const product = (await session.run({ ...weight, x: float32(ones.subarray(0, WIDTH), 1, WIDTH) })).y!;
  await session.release();
  return Math.abs((product.data[0] as number) / WIDTH - 1) > 0.02;
}

/** Throws "unsupported" where products in int8 would be wrong. */
export async function checkInt8(runtime: Runtime): Promise<void> {
  if (!(await saturatesInInt8(runtime))) return;
  throw new BigVaeError("unsupported", {
    subject: "`compute` int8",
    expected: "a processor that multiplies int8 exactly (AVX-512 VNNI, AVX-VNNI, Arm with dot products)",
    got: "one whose sums are cut off",
    remedy: "leave it out, which computes in fp32",
  });
}
