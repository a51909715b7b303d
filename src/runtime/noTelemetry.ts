/**
 * onnxruntime-node 1.30 tells Microsoft of its use and keeps a device id, unless this stands in the environment when it is loaded. A thread has a copy of
 * the environment, which the library does not read: whoever starts one imports this first.
 */
process.env.ORT_DISABLE_TELEMETRY = "1";
