using Cairn.Frameworks.Onnx.Proto;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Onnx;

/// <summary>Sizes of ONNX element types (onnx.proto, TensorProto.DataType).</summary>
internal static class TensorTypes
{
    /// <summary>Bits of one element; 0 for strings and unknown types, which have no fixed size.</summary>
    internal static int Bits(DataType type) => type switch
    {
        DataType.Float or DataType.Int32 or DataType.Uint32 => 32,
        DataType.Double or DataType.Int64 or DataType.Uint64 or DataType.Complex64 => 64,
        DataType.Complex128 => 128,
        DataType.Float16 or DataType.Bfloat16 or DataType.Int16 or DataType.Uint16 => 16,
        DataType.Int8 or DataType.Uint8 or DataType.Bool => 8,
        DataType.Float8E4M3Fn or DataType.Float8E4M3Fnuz or DataType.Float8E5M2 or DataType.Float8E5M2Fnuz or DataType.Float8E8M0 => 8,
        DataType.Int4 or DataType.Uint4 or DataType.Float4E2M1 => 4,
        DataType.Int2 or DataType.Uint2 => 2,
        _ => 0,
    };

    internal static DataType Type(TensorProto tensor) => (DataType)tensor.DataType;

    /// <summary>Elements of a tensor; 1 for a scalar.</summary>
    /// <exception cref="OnnxFormatException">A dimension is negative, or the product passes 2^63.</exception>
    internal static long Count(TensorProto tensor)
    {
        try
        {
            var count = 1L;
            foreach (var dimension in tensor.Dims)
            {
                if (dimension < 0)
                    throw new OnnxFormatException($"tensor '{tensor.Name}' has the dimension {dimension}; 0 or more is expected");
                count = checked(count * dimension);
            }
            return count;
        }
        catch (OverflowException)
        {
            throw new OnnxFormatException($"tensor '{tensor.Name}' with dimensions {Shape(tensor)} has more elements than 64 bits count");
        }
    }

    /// <summary>Bytes that a tensor's values take as raw data; sub-byte types are packed.</summary>
    internal static long ByteLength(TensorProto tensor)
    {
        var bits = Bits(Type(tensor));
        if (bits == 0)
            throw new OnnxFormatException($"tensor '{tensor.Name}' has the type {Name(tensor)}, which has no fixed size");
        var count = Count(tensor);
        if (count > long.MaxValue / 128)
            throw new OnnxFormatException($"tensor '{tensor.Name}' with dimensions {Shape(tensor)} is larger than any file");
        return ((count * bits) + 7) / 8;
    }

    internal static string Shape(TensorProto tensor) => $"[{string.Join(", ", tensor.Dims)}]";

    internal static string Name(TensorProto tensor) =>
        Enum.IsDefined(Type(tensor)) ? Type(tensor).ToString().ToLowerInvariant() : $"number {tensor.DataType}";
}
