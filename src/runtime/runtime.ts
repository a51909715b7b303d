/** What the engine needs of a machine that runs graphs. Implementations are handed in: onnxruntime-node here, onnxruntime-web in a browser. */
import type { Device, DType, StoredData, Value } from "../graph/index.js";

/** Numbers outside the graph. `data` is row-major; a view is used as it is, without a copy. */
export interface HostTensor {
  dtype: DType;
  shape: readonly number[];
  data: Float32Array | Float64Array | BigInt64Array | Int32Array | Int8Array | Uint8Array;
}

export type HostTensors = Readonly<Record<string, HostTensor>>;

/** A graph made ready to run. */
export interface Session {
  /**
   * Runs the graph once; feeds that it does not have are passed over. Outputs named in `into` are written there, so that nothing is allocated;
   * the others come back as new tensors. A run of several parts checks `signal` between them.
   */
  run(feeds: HostTensors, into?: HostTensors, signal?: AbortSignal): Promise<Record<string, HostTensor>>;
  /** Frees the session's memory. */
  release(): Promise<void>;
}

export interface SessionOptions {
  /** Inputs of the graph that become stored weights, packed once: name -> values. */
  stored?: ReadonlyMap<string, StoredData>;
  /** Whether worker threads wait for the next run by spinning, which starts it sooner; default: true. Not for sessions that run in turns. */
  spinning?: boolean;
  /** Whether a session keeps the memory of its last run for the next; default: true. Many sessions would keep it many times. */
  keepsMemory?: boolean;
  /** Folder of the files that stored weights lie in. */
  folder?: string;
}

export interface Runtime {
  /** Where sessions compute. */
  readonly device: Device;
  /** The graph of the named outputs, made ready to run with the kernels of the device. */
  createSession(outputs: Readonly<Record<string, Value>>, options?: SessionOptions): Promise<Session>;
}

export function float32(data: Float32Array, ...shape: number[]): HostTensor {
  return { dtype: "float32", data, shape };
}

export function int64(values: ArrayLike<number>, ...shape: number[]): HostTensor {
  return { dtype: "int64", data: BigInt64Array.from({ length: values.length }, (_, i) => BigInt(values[i]!)), shape };
}
