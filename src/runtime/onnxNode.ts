/** The runtime on onnxruntime-node: the processor, or a GPU by WebGPU. A run blocks its thread; worker.ts keeps it off the caller's. */
import "./noTelemetry.js";
import { env, InferenceSession, Tensor } from "onnxruntime-node";
import { BigVaeError } from "../errors.js";
import { type Device, type OnnxModel, toOnnx } from "../graph/index.js";
import type { HostTensor, HostTensors, Runtime, Session, SessionOptions } from "./runtime.js";

/** The version of ONNX Runtime. */
export const RUNTIME_VERSION = env.versions.node ?? env.versions.common;

export interface OnnxNodeOptions {
  /** Threads for one run; default: all cores. */
  threads?: number;
  /** Where sessions compute; default: "cpu". */
  device?: Device;
}

/** A runtime whose sessions compute on the processor or, what has a kernel there, on a GPU. */
export function onnxNodeRuntime({ threads, device = "cpu" }: OnnxNodeOptions = {}): Runtime {
  return {
    device,
    createSession: (outputs, { stored, ...options } = {}) =>
      OnnxNodeSession.create(toOnnx(outputs, { stored, device }), { ...options, threads, device }),
  };
}

class OnnxNodeSession implements Session {
  /** A host tensor that is fed again is wrapped once. */
  readonly #wrapped = new WeakMap<HostTensor, Tensor>();
  readonly #inputNames: readonly string[];
  readonly #outputNames: readonly string[];

  private constructor(
    readonly session: InferenceSession,
    model: OnnxModel,
  ) {
    this.#inputNames = model.inputs.map((input) => input.name);
    this.#outputNames = model.outputs.map((output) => output.name);
  }

  static async create(
    model: OnnxModel,
    { spinning = true, keepsMemory = true, folder, threads, device = "cpu" }: SessionOptions & OnnxNodeOptions,
  ): Promise<OnnxNodeSession> {
    const session = await InferenceSession.create(model.bytes, {
      executionProviders: device === "cpu" ? ["cpu"] : [device, "cpu"],
      // A second block beside the arena grows memory by half and gains no time.
      enableMemPattern: false,
      enableCpuMemArena: keepsMemory,
      logSeverityLevel: 3,
      extra: {
        session: {
          intra_op: { allow_spinning: spinning ? "1" : "0" },
          ...(folder === undefined ? {} : { model_external_initializers_file_folder_path: folder }),
        },
      },
      ...(threads === undefined ? {} : { intraOpNumThreads: threads }),
      externalData: Array.from(model.externalData, ([path, data]) => ({
        path,
        data: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
      })),
    });
    return new OnnxNodeSession(session, model);
  }

  async run(feeds: HostTensors, into: HostTensors = {}): Promise<Record<string, HostTensor>> {
    const inputs: Record<string, Tensor> = {};
    for (const name of this.#inputNames) inputs[name] = this.#wrap(feeds[name] ?? missing(name));
    const fetches: Record<string, Tensor | null> = {};
    for (const name of this.#outputNames) fetches[name] = into[name] ? this.#wrap(into[name]) : null;
    const results = await this.session.run(inputs, fetches);
    return Object.fromEntries(this.#outputNames.map((name) => [name, into[name] ?? unwrap(results[name]!)]));
  }

  async release(): Promise<void> {
    await this.session.release();
  }

  #wrap(tensor: HostTensor): Tensor {
    let wrapped = this.#wrapped.get(tensor);
    if (!wrapped)
      this.#wrapped.set(tensor, (wrapped = new Tensor(tensor.dtype, tensor.data as Float32Array, tensor.shape)));
    return wrapped;
  }
}

function missing(name: string): never {
  throw new BigVaeError("internal", {
    subject: "session",
    expected: `the input ${name}`,
    got: "nothing",
    remedy: "feed it",
  });
}

function unwrap(tensor: Tensor): HostTensor {
  const { type, dims, data } = tensor;
  if (type === "float32" || type === "float64" || type === "int64" || type === "int32" || type === "bool") {
    return { dtype: type, shape: dims, data: data as HostTensor["data"] };
  }
  throw new BigVaeError("internal", {
    subject: "session",
    expected: "outputs of float32, float64, int64, int32 or bool",
    got: type,
    remedy: "cast them in the graph",
  });
}
