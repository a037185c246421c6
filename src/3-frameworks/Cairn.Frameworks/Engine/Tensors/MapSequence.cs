using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>
/// Classifiers exported from scikit-learn give their scores as a sequence of label → score maps (ai.onnx.ml ZipMap). No tensor protocol has
/// such a type, so they are told as one FP32 matrix: a row per map, its columns in the order of the labels.
/// </summary>
internal static class MapSequence
{
    public static bool Is(NodeMetadata node) =>
        node.OnnxValueType == OnnxValueType.ONNX_TYPE_SEQUENCE
        && node.AsSequenceMetadata().ElementMeta is { OnnxValueType: OnnxValueType.ONNX_TYPE_MAP } element
        && element.AsMapMetadata().ValueMetadata is
            { OnnxValueType: OnnxValueType.ONNX_TYPE_TENSOR, ElementDataType: TensorElementType.Float };

    public static Tensor Read(OrtValue sequence, string name)
    {
        var rows = sequence.GetValueCount();
        var columns = 0;
        var scores = new List<byte>();
        for (var row = 0; row < rows; row++)
        {
            using var map = sequence.GetValue(row, OrtAllocator.DefaultInstance);
            using var values = map.GetValue(1, OrtAllocator.DefaultInstance);
            var data = values.GetTensorDataAsSpan<float>();
            if (row > 0 && data.Length != columns)
                throw new NotSupportedException($"output '{name}': its maps have {columns} and {data.Length} labels; they make no matrix");
            columns = data.Length;
            scores.AddRange(MemoryMarshal.AsBytes(data));
        }

        return new(name, TensorType.Float32, [rows, columns], scores.ToArray());
    }
}
