using System.Numerics.Tensors;
using Cairn.Frameworks.Onnx;
using Cairn.Frameworks.Onnx.Proto;
using DataType = Cairn.Frameworks.Onnx.Proto.TensorProto.Types.DataType;

namespace Cairn.Frameworks.Quantizing;

/// <summary>A two-dimensional float weight of a graph.</summary>
/// <param name="OutputsAreRows">The tensor is [outputs, inputs]; else [inputs, outputs].</param>
/// <param name="Type">Float or float16: what the graph computes with, after casts that follow the tensor.</param>
internal sealed record ConstantWeight(TensorProto Tensor, bool OutputsAreRows, DataType Type)
{
    private const int StripElements = 1 << 22;

    internal int Outputs => checked((int)Tensor.Dims[OutputsAreRows ? 0 : 1]);
    internal int Inputs => checked((int)Tensor.Dims[OutputsAreRows ? 1 : 0]);
    internal long Elements => Tensor.Dims[0] * Tensor.Dims[1];

    /// <summary>Quantises along the inputs, reading the tensor strip by strip.</summary>
    /// <returns>The matrix, and its root mean square error over that of the weights.</returns>
    internal (QuantizedMatrix Matrix, double RelativeError) Quantize(
        TensorReader reader, int bits, int blockSize, CancellationToken cancellationToken)
    {
        var matrix = new QuantizedMatrix(Outputs, Inputs, bits, blockSize);
        var (error, power) = (0.0, 0.0);
        var height = OutputsAreRows ? Math.Max(1, StripElements / Inputs) : blockSize;
        var (lines, width) = OutputsAreRows ? (Outputs, Inputs) : (Inputs, Outputs);
        var strip = new float[(long)Math.Min(height, lines) * width];
        for (var first = 0; first < lines; first += height)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var part = strip.AsMemory(0, Math.Min(height, lines - first) * width);
            reader.ReadFloats(Tensor, (long)first * width, part.Span);
            power += SumOfSquares(part.Span);
            error += OutputsAreRows ? SetRows(matrix, first, part, width) : SetBlocks(matrix, first / blockSize, part, width);
        }
        if (!double.IsFinite(power))
            throw new QuantizeException($"weight '{Tensor.Name}' has values that are not finite; they cannot be rounded to levels");
        return (matrix, power == 0 ? 0 : Math.Sqrt(error / power));
    }

    private static double SumOfSquares(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        for (var done = 0; done < values.Length; done += 1 << 12)
            sum += TensorPrimitives.SumOfSquares(values.Slice(done, Math.Min(1 << 12, values.Length - done)));
        return sum;
    }

    private static double SetRows(QuantizedMatrix matrix, int first, ReadOnlyMemory<float> strip, int width) =>
        Sum(strip.Length / width, row => matrix.SetRow(first + row, strip.Span.Slice(row * width, width)));

    /// <summary>A strip of as many inputs as a block has: one block of every output.</summary>
    private static double SetBlocks(QuantizedMatrix matrix, int block, ReadOnlyMemory<float> strip, int width) =>
        Sum(width, output =>
        {
            var values = strip.Span;
            Span<float> column = stackalloc float[values.Length / width];
            for (var i = 0; i < column.Length; i++)
                column[i] = values[(i * width) + output];
            return matrix.SetBlock(output, block, column);
        });

    private static double Sum(int count, Func<int, double> part)
    {
        var total = 0.0;
        var gate = new Lock();
        Parallel.For(0, count, () => 0.0, (index, _, sum) => sum + part(index), sum =>
        {
            lock (gate)
                total += sum;
        });
        return total;
    }
}
