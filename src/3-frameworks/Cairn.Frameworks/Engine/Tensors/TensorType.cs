using System.Collections.Frozen;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>The element types of the Open Inference Protocol, BF16 of Triton's extension included.</summary>
internal enum TensorType
{
    Bool,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Int8,
    Int16,
    Int32,
    Int64,
    Float16,
    BFloat16,
    Float32,
    Float64,

    /// <summary>Byte strings; an element is its length (uint32, little-endian) and its bytes.</summary>
    Bytes,
}

/// <summary>One element type's names in the protocol, in model configurations and in ONNX Runtime.</summary>
internal static class TensorTypes
{
    private static readonly (TensorType Type, string Name, int Size, DataType Config, TensorElementType Onnx)[] Table =
    [
        (TensorType.Bool, "BOOL", 1, DataType.TypeBool, TensorElementType.Bool),
        (TensorType.UInt8, "UINT8", 1, DataType.TypeUint8, TensorElementType.UInt8),
        (TensorType.UInt16, "UINT16", 2, DataType.TypeUint16, TensorElementType.UInt16),
        (TensorType.UInt32, "UINT32", 4, DataType.TypeUint32, TensorElementType.UInt32),
        (TensorType.UInt64, "UINT64", 8, DataType.TypeUint64, TensorElementType.UInt64),
        (TensorType.Int8, "INT8", 1, DataType.TypeInt8, TensorElementType.Int8),
        (TensorType.Int16, "INT16", 2, DataType.TypeInt16, TensorElementType.Int16),
        (TensorType.Int32, "INT32", 4, DataType.TypeInt32, TensorElementType.Int32),
        (TensorType.Int64, "INT64", 8, DataType.TypeInt64, TensorElementType.Int64),
        (TensorType.Float16, "FP16", 2, DataType.TypeFp16, TensorElementType.Float16),
        (TensorType.BFloat16, "BF16", 2, DataType.TypeBf16, TensorElementType.BFloat16),
        (TensorType.Float32, "FP32", 4, DataType.TypeFp32, TensorElementType.Float),
        (TensorType.Float64, "FP64", 8, DataType.TypeFp64, TensorElementType.Double),
        (TensorType.Bytes, "BYTES", 0, DataType.TypeString, TensorElementType.String),
    ];

    private static readonly FrozenDictionary<string, TensorType> ByName =
        Table.ToFrozenDictionary(row => row.Name, row => row.Type, StringComparer.Ordinal);

    public static string Name(this TensorType type) => Table[(int)type].Name;

    /// <summary>Bytes of one element; 0 for <see cref="TensorType.Bytes"/>, whose elements differ.</summary>
    public static int Size(this TensorType type) => Table[(int)type].Size;

    public static DataType Config(this TensorType type) => Table[(int)type].Config;

    public static TensorElementType Onnx(this TensorType type) => Table[(int)type].Onnx;

    public static bool TryParse(string name, out TensorType type) => ByName.TryGetValue(name, out type);

    public static TensorType? From(DataType type) => Find(row => row.Config == type);

    public static TensorType? From(TensorElementType type) => Find(row => row.Onnx == type);

    private static TensorType? Find(Func<(TensorType Type, string Name, int Size, DataType Config, TensorElementType Onnx), bool> matches)
    {
        foreach (var row in Table)
            if (matches(row))
                return row.Type;
        return null;
    }
}
