/** Ops of a Transformer that ONNX Runtime computes in one kernel. */
import { formatShape, sameShape, shapeError } from "../shape.js";
import { commonFloat, formatValue, makeNode, makeValue, type Value } from "../value.js";

/** exp(x) / sum(exp(x)) over the last axis. */
export function softmax(x: Value): Value {
  return makeValue("softmax", [x], {}, x.shape, commonFloat("softmax", x));
}

/** x / sqrt(mean(x^2) + eps) * weight over the last axis: x [.., D], weight [D]. Zhang & Sennrich 2019. */
export function rmsNorm(x: Value, weight: Value, eps: number): Value {
  if (!sameShape(weight.shape, x.shape.slice(-1))) {
    throw shapeError("rmsNorm", `a weight of shape ${formatShape(x.shape.slice(-1))}`, formatShape(weight.shape));
  }
  const dtype = commonFloat("rmsNorm", x, weight);
  return makeNode(
    "rmsNorm",
    [x, weight],
    { eps },
    { shape: x.shape, dtype },
    { shape: x.shape.with(-1, 1), dtype },
  )[0]!;
}

/**
 * Rotary position embedding in Hugging Face's order (first half with second half), Su et al. 2021.
 * x [B, H, T, Dh], positions [B, T] (int64), cos and sin [P, Dh/2] -> [B, H, T, Dh].
 */
export function rope(x: Value, positions: Value, cos: Value, sin: Value): Value {
  const [b, , t, width] = x.shape;
  const half = typeof width === "number" ? width / 2 : 0;
  const fits =
    x.shape.length === 4 &&
    positions.dtype === "int64" &&
    sameShape(positions.shape, [b!, t!]) &&
    sameShape(cos.shape, sin.shape) &&
    sameShape(cos.shape.slice(1), [half]);
  if (!fits) {
    const [table, ...others] = [x, cos, sin].map((value) => formatShape(value.shape));
    const got = [table, formatValue(positions), ...others].join(", ");
    throw shapeError("rope", "[B, H, T, Dh], int64 [B, T], [P, Dh/2], [P, Dh/2]", got);
  }
  return makeValue("rope", [x, positions, cos, sin], {}, x.shape, commonFloat("rope", x, cos, sin));
}

/** -log softmax(logits)[label] of each row: logits [M, V], labels [M] (int64) -> [M]. */
export function crossEntropy(logits: Value, labels: Value): Value {
  const fits =
    logits.shape.length === 2 && sameShape(labels.shape, logits.shape.slice(0, 1)) && labels.dtype === "int64";
  if (!fits) {
    throw shapeError(
      "crossEntropy",
      "logits [M, V] and int64 labels [M]",
      `${formatShape(logits.shape)} and ${formatValue(labels)}`,
    );
  }
  const dtype = commonFloat("crossEntropy", logits);
  return makeNode(
    "crossEntropy",
    [logits, labels],
    {},
    { shape: labels.shape, dtype },
    { shape: logits.shape, dtype },
  )[0]!;
}
