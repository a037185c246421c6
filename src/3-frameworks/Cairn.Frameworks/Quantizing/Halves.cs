using System.Runtime.InteropServices;
using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Quantizing;

/// <summary>
/// Floats as halves: finite values that are too large become ±65,504, small ones that would vanish become ±1e-7, so that nothing
/// divides by zero.
/// </summary>
internal static class Halves
{
    private const float Largest = 65504;
    private const float Smallest = 1e-7f;

    internal static (TensorProto Tensor, double RelativeError) From(TensorProto tensor, string name, TensorReader reader, OnnxWriter writer)
    {
        var (error, power) = (0.0, 0.0);
        var count = TensorTypes.Count(tensor);
        var half = writer.Tensor(name, DataType.Float16, tensor.Dims.ToArray(), count * 2, stream =>
        {
            var values = new float[(int)Math.Min(count, 1 << 16)];
            for (var done = 0L; done < count; done += values.Length)
            {
                var part = values.AsSpan(0, (int)Math.Min(values.Length, count - done));
                reader.ReadFloats(tensor, done, part);
                var halves = Convert(part);
                for (var i = 0; i < part.Length; i++)
                {
                    power += (double)part[i] * part[i];
                    error += ((double)part[i] - (double)halves[i]) * ((double)part[i] - (double)halves[i]);
                }
                stream.Write(MemoryMarshal.AsBytes(halves.AsSpan()));
            }
        });
        return (half, power is 0 or double.NaN ? 0 : Math.Sqrt(error / power));
    }

    internal static TensorProto Inline(TensorProto tensor, TensorReader reader)
    {
        var values = new float[checked((int)TensorTypes.Count(tensor))];
        reader.ReadFloats(tensor, 0, values);
        return new TensorProto
        {
            Name = tensor.Name, DataType = (int)DataType.Float16, Dims = { tensor.Dims },
            RawData = Google.Protobuf.ByteString.CopyFrom(MemoryMarshal.AsBytes(Convert(values).AsSpan())),
        };
    }

    private static Half[] Convert(ReadOnlySpan<float> values)
    {
        var halves = new Half[values.Length];
        for (var i = 0; i < values.Length; i++)
            halves[i] = (Half)(float.IsFinite(values[i]) && values[i] != 0
                ? MathF.CopySign(Math.Clamp(Math.Abs(values[i]), Smallest, Largest), values[i]) : values[i]);
        return halves;
    }
}
