using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Frameworks.Engine.OpenInference;

/// <summary>
/// Triton's classification extension: instead of an output, its highest elements as "VALUE:INDEX" or "VALUE:INDEX:LABEL".
/// </summary>
internal static class Classification
{
    /// <summary>The outputs with those that a call wants as classes replaced.</summary>
    /// <exception cref="RefusedException">An output is not one of numbers.</exception>
    public static Tensor[] Apply(InferCall call, ModelVersion version, Tensor[] outputs)
    {
        if (!call.Outputs.Any(output => output.Classes > 0))
            return outputs;
        return [.. outputs.Select(output => call.Find(output.Name) is { Classes: > 0 and var classes }
            ? Top(output, classes, version.Config.MaxBatchSize > 0, version.Labels.GetValueOrDefault(output.Name))
            : output)];
    }

    internal static Tensor Top(Tensor output, int classes, bool batched, string[]? labels)
    {
        if (output.Type is TensorType.Bytes or TensorType.Bool)
            throw RefusedException.Invalid($"output '{output.Name}' is {output.Type.Name()}; classification takes numbers");
        var rows = batched && output.Shape.Length > 0 ? output.Shape[0] : 1;
        var elements = TensorContents.Elements(output.Shape, output.Name);
        var each = rows == 0 ? 0 : (int)(elements / rows);
        var count = Math.Min(classes, each);
        var data = new ArrayBufferWriter<byte>();
        for (var row = 0; row < rows; row++)
        {
            var values = new double[each];
            for (var i = 0; i < each; i++)
                values[i] = Value(output, (row * each) + i);
            foreach (var index in Enumerable.Range(0, each).OrderByDescending(index => values[index]).ThenBy(index => index).Take(count))
                Write(data, Show(output.Type, values[index], index, labels));
        }

        return new(output.Name, TensorType.Bytes, batched ? [rows, count] : [count], data.WrittenMemory);
    }

    private static string Show(TensorType type, double value, int index, string[]? labels)
    {
        var invariant = CultureInfo.InvariantCulture;
        var number = type == TensorType.Float32 ? ((float)value).ToString(invariant) : value.ToString(invariant);
        return index < labels?.Length ? $"{number}:{index.ToString(invariant)}:{labels[index]}" : $"{number}:{index.ToString(invariant)}";
    }

    private static void Write(ArrayBufferWriter<byte> data, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        BinaryPrimitives.WriteUInt32LittleEndian(data.GetSpan(4), (uint)bytes.Length);
        data.Advance(4);
        data.Write(bytes);
    }

    private static double Value(Tensor tensor, int index)
    {
        var at = tensor.Data.Span[(index * tensor.Type.Size())..];
        return tensor.Type switch
        {
            TensorType.UInt8 => at[0],
            TensorType.UInt16 => BinaryPrimitives.ReadUInt16LittleEndian(at),
            TensorType.UInt32 => BinaryPrimitives.ReadUInt32LittleEndian(at),
            TensorType.UInt64 => BinaryPrimitives.ReadUInt64LittleEndian(at),
            TensorType.Int8 => (sbyte)at[0],
            TensorType.Int16 => BinaryPrimitives.ReadInt16LittleEndian(at),
            TensorType.Int32 => BinaryPrimitives.ReadInt32LittleEndian(at),
            TensorType.Int64 => BinaryPrimitives.ReadInt64LittleEndian(at),
            TensorType.Float16 => (double)BinaryPrimitives.ReadHalfLittleEndian(at),
            TensorType.BFloat16 => BitConverter.Int32BitsToSingle(BinaryPrimitives.ReadUInt16LittleEndian(at) << 16),
            TensorType.Float32 => BinaryPrimitives.ReadSingleLittleEndian(at),
            _ => BinaryPrimitives.ReadDoubleLittleEndian(at),
        };
    }
}
