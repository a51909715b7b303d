/** What stands for host/openModel in a browser (package.json, "browser"). */
import { BigVaeError } from "../errors.js";
import type { OpenedModel } from "./openModel.js";

/** Throws "unsupported": a page has no files and no ONNX Runtime of Node. */
export function openModel(model: string): Promise<OpenedModel> {
  throw new BigVaeError("unsupported", {
    subject: `load ${JSON.stringify(model)}`,
    expected: "Node",
    got: "a browser",
    remedy: "start `bigvae serve` and connect to it with BigVae.connect(url)",
  });
}
