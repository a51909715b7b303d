#!/usr/bin/env python3
"""Writes a GGUF file anew with its matrices in another type, to compare speeds: python3 scripts/requantise.py IN.gguf OUT.gguf Q8_0|Q4_0

Needs `pip install gguf`. With Q4_0 the embedding table and the head are Q8_0. Values are rounded a second time where IN is quantised already.
"""
import sys

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter, quants

if len(sys.argv) != 4:
    sys.exit("usage: python3 scripts/requantise.py IN.gguf OUT.gguf Q8_0|Q4_0")
source, output, kind = sys.argv[1], sys.argv[2], GGMLQuantizationType[sys.argv[3]]
reader = GGUFReader(source)
writer = GGUFWriter(output, reader.fields["general.architecture"].contents())
for name, field in reader.fields.items():
    if name.startswith("GGUF.") or name == "general.architecture":
        continue
    if field.types[0] == GGUFValueType.ARRAY:
        writer.add_array(name, field.contents())
    else:
        writer.add_key_value(name, field.contents(), field.types[0])
for tensor in reader.tensors:
    values = quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
    if values.ndim < 2:
        writer.add_tensor(tensor.name, values)
        continue
    is_table = tensor.name in ("token_embd.weight", "output.weight")
    own = GGMLQuantizationType.Q8_0 if is_table else kind
    writer.add_tensor(tensor.name, quants.quantize(values, own), raw_dtype=own)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
