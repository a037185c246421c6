"""Writes ONNX files: the few messages of onnx.proto3 that a decoder needs, in protobuf's wire format.

By hand rather than with the `onnx` package, because that is one more thing to install on every node, its versions are tied to
Python's and to protobuf's, and a file with a dozen kinds of nodes needs no more than this.
Numbers of fields and types: onnx.proto3 of the ONNX project; the wire format: protobuf.dev/programming-guides/encoding.
"""

import struct

FLOAT, INT32, INT64 = 1, 6, 7
OPSET, MICROSOFT_OPSET, IR_VERSION = 17, 1, 8


def varint(number):
    number &= (1 << 64) - 1
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])


def whole(field, number):
    return varint(field << 3) + varint(number)


def real(field, number):
    return varint(field << 3 | 5) + struct.pack("<f", number)


def block(field, content):
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def tensor(name, kind, shape, content):
    """TensorProto: dims 1, data_type 2, name 8, raw_data 9 (little-endian)."""
    return b"".join(whole(1, size) for size in shape) + whole(2, kind) + block(8, name) + block(9, content)


def value(name, kind, shape):
    """ValueInfoProto: name 1, type 2. A dimension is a number, or a name where it differs from run to run."""
    sizes = b"".join(block(1, whole(1, size) if isinstance(size, int) else block(2, size)) for size in shape)
    return block(1, name) + block(2, block(1, whole(1, kind) + block(2, sizes)))


def attribute(name, content):
    """AttributeProto: name 1, f 2, i 3, type 20 (1 float, 2 int)."""
    if isinstance(content, float):
        return block(1, name) + real(2, content) + whole(20, 1)
    return block(1, name) + whole(3, content) + whole(20, 2)


class Graph:
    """Nodes in order. Each method returns the name of what it made."""

    def __init__(self, name):
        self.name, self.nodes, self.tensors, self.inputs, self.outputs = name, [], [], [], []

    def input(self, name, kind, shape):
        self.inputs.append(value(name, kind, shape))
        return name

    def output(self, name, kind, shape):
        self.outputs.append(value(name, kind, shape))

    def floats(self, name, weights):
        """A torch tensor as it lies: row-major, single precision."""
        weights = weights.detach().cpu().float().contiguous()
        self.tensors.append(tensor(name, FLOAT, weights.shape, weights.numpy().tobytes()))
        return name

    def integers(self, name, numbers, shape=None):
        self.tensors.append(tensor(name, INT64, [len(numbers)] if shape is None else shape, struct.pack(f"<{len(numbers)}q", *numbers)))
        return name

    def node(self, kind, inputs, outputs, domain="", **attributes):
        """NodeProto: input 1, output 2, name 3, op_type 4, attribute 5, domain 7. Named after its first output."""
        outputs = [outputs] if isinstance(outputs, str) else outputs
        self.nodes.append(
            b"".join(block(1, name) for name in inputs)
            + b"".join(block(2, name) for name in outputs)
            + block(3, "/" + outputs[0])
            + block(4, kind)
            + b"".join(block(5, attribute(*item)) for item in attributes.items())
            + block(7, domain)
        )
        return outputs[0]

    def save(self, path):
        """GraphProto: node 1, name 2, initializer 5, input 11, output 12.
        ModelProto: ir_version 1, producer_name 2, graph 7, opset_import 8."""
        parts = [block(1, node) for node in self.nodes] + [block(2, self.name)] + [block(5, one) for one in self.tensors]
        parts += [block(11, one) for one in self.inputs] + [block(12, one) for one in self.outputs]
        opsets = block(8, block(1, "") + whole(2, OPSET)) + block(8, block(1, "com.microsoft") + whole(2, MICROSOFT_OPSET))
        with open(path, "wb") as file:
            file.write(whole(1, IR_VERSION) + block(2, "train-tiny-lm") + block(7, b"".join(parts)) + opsets)
