/** Where a model computes: the processor, or a GPU where this machine has one. */
import { BigVaeError } from "../errors.js";
import { add, input } from "../graph/index.js";
import { type OnnxNodeOptions, onnxNodeRuntime } from "../runtime/onnxNode.js";
import { float32, type Runtime } from "../runtime/runtime.js";

/** The runtime on a device. Throws "unsupported" where the machine has none of the kind. */
export async function openRuntime(options: OnnxNodeOptions): Promise<Runtime> {
  const runtime = onnxNodeRuntime(options);
  // The processor is always there, and finding a GPU takes a while.
  if (runtime.device !== "cpu") await checkComputes(runtime);
  return runtime;
}

async function checkComputes(runtime: Runtime): Promise<void> {
  const outputs = { y: add(input("x", [1]), 1) };
  const session = await runtime.createSession(outputs).catch((cause: unknown) => {
    throw new BigVaeError(
      "unsupported",
      {
        subject: `\`device\` ${runtime.device}`,
        expected: "a GPU with a driver for Vulkan, Metal or Direct3D 12",
        got: "none that this process can reach",
        remedy: "install its driver, or leave out `device`, which computes on the processor",
      },
      { cause },
    );
  });
  try {
    await session.run({ x: float32(Float32Array.of(1), 1) });
  } finally {
    await session.release();
  }
}
