"""Blocks of GGUF and their values, by gguf-py."""
import gguf
import numpy as np
import torch

# gguf-py makes these from numbers; of the others it reads the blocks only.
QUANTISED = ("F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1")


def quant_values(inputs):
    """gguf.TYPE.values [rows, width] of the inputs gguf.TYPE.bytes."""
    return {
        name.replace(".bytes", ".values"): torch.from_numpy(dequantised(block_type(name), stored.numpy()))
        for name, stored in inputs.items()
        if name.endswith(".bytes")
    }


def fresh_blocks(inputs, rng):
    """Bytes of the shapes of the inputs: of normal numbers where gguf-py makes blocks, else random ones of finite value."""
    blocks = {}
    for name, stored in inputs.items():
        if name.endswith(".bytes"):
            kind = block_type(name)
            shape = tuple(inputs[name.replace(".bytes", ".values")].shape)
            data = (
                gguf.quants.quantize(rng.standard_normal(shape, dtype=np.float32), kind)
                if kind.name in QUANTISED
                else finite_blocks(kind, tuple(stored.shape), rng)
            )
            blocks[name] = torch.from_numpy(data.view(np.uint8).reshape(stored.shape))
    return blocks


def finite_blocks(kind, shape, rng):
    """Random bytes; a block whose scale is no finite number is drawn again."""
    _, size = gguf.GGML_QUANT_SIZES[kind]
    blocks = rng.integers(256, size=(int(np.prod(shape)) // size, size), dtype=np.uint8)
    while (bad := ~np.isfinite(dequantised(kind, blocks)).all(axis=1)).any():
        blocks[bad] = rng.integers(256, size=(bad.sum(), size), dtype=np.uint8)
    return blocks.reshape(shape)


def dequantised(kind, blocks):
    with np.errstate(all="ignore"):
        return gguf.quants.dequantize(blocks, kind)


def block_type(name):
    return gguf.GGMLQuantizationType[name.split(".")[1]]
