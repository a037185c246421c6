using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cairn.Frameworks.Quantizing;

/// <summary>
/// Runs two forms of any model on the same inputs: normal numbers from a fixed seed, ones for masks, small numbers for ids.
/// </summary>
internal static class OutputComparing
{
    private const int Batch = 4;
    private const int Length = 16;
    private const int MostElements = 1 << 26;
    private const int TimedTurns = 10;

    /// <returns>Null where the model cannot be given such inputs, or has no output of floats.</returns>
    internal static OutputComparison? Compare(
        InferenceSession before, InferenceSession after, TimeProvider time, CancellationToken cancellationToken)
    {
        var outputs = before.OutputMetadata.Where(output => output.Value is { IsTensor: true, ElementDataType: TensorElementType.Float })
            .Select(output => output.Key).Where(after.OutputMetadata.ContainsKey).ToList();
        if (outputs.Count == 0 || Inputs(before) is not { } inputs)
            return null;
        using var options = new RunOptions();
        try
        {
            var (first, second) = (Once(before), Once(after));
            var best = (Before: 0.0, After: 0.0);
            for (var turn = 0; turn < TimedTurns; turn++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                best = (Math.Max(best.Before, Rate(before)), Math.Max(best.After, Rate(after)));
            }
            return Difference(first, second) with { RunsPerSecondBefore = best.Before, RunsPerSecondAfter = best.After };
        }
        finally
        {
            foreach (var input in inputs.Values)
                input.Dispose();
        }

        double Rate(InferenceSession session)
        {
            var start = time.GetTimestamp();
            Once(session);
            return 1 / time.GetElapsedTime(start).TotalSeconds;
        }

        float[] Once(InferenceSession session)
        {
            using var results = session.Run(options, inputs.Keys, inputs.Values, outputs);
            return [.. results.SelectMany(result => result.GetTensorDataAsSpan<float>().ToArray())];
        }
    }

    private static OutputComparison Difference(float[] first, float[] second)
    {
        if (first.Length != second.Length)
            throw new QuantizeException($"the quantised model gives {second.Length} numbers where the model gives {first.Length}");
        var (error, a, b, product, largest) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (var i = 0; i < first.Length; i++)
        {
            double x = first[i], y = second[i];
            (error, a, b, product) = (error + ((x - y) * (x - y)), a + (x * x), b + (y * y), product + (x * y));
            largest = Math.Max(largest, Math.Abs(x - y));
        }
        return new OutputComparison(a == 0 ? 0 : Math.Sqrt(error / a), a * b == 0 ? 1 : product / Math.Sqrt(a * b), largest, 0, 0);
    }

    private static Dictionary<string, OrtValue>? Inputs(InferenceSession session)
    {
        var random = new Random(20);
        var inputs = new Dictionary<string, OrtValue>(StringComparer.Ordinal);
        foreach (var (name, metadata) in session.InputMetadata)
        {
            if (!metadata.IsTensor)
                return null;
            long[] shape = [.. metadata.Dimensions.Select((size, index) => size >= 0 ? size : index == 0 ? Batch : (long)Length)];
            var count = shape.Aggregate(1.0, (product, size) => product * size);
            if (count > MostElements || Input(name, metadata.ElementDataType, shape, (int)count, random) is not { } value)
                return null;
            inputs.Add(name, value);
        }
        return inputs;
    }

    private static OrtValue? Input(string name, TensorElementType type, long[] shape, int count, Random random)
    {
        var mask = name.Contains("mask", StringComparison.Ordinal);
        var ids = name.EndsWith("ids", StringComparison.Ordinal) && !name.Contains("type", StringComparison.Ordinal);
        long Whole(int index) =>
            mask ? 1 : name.Contains("position", StringComparison.Ordinal) ? index % shape[^1] : ids ? random.Next(100) : 0;
        float Real() => mask ? 1 : Normal(random);
        return type switch
        {
            TensorElementType.Float =>
                OrtValue.CreateTensorValueFromMemory([.. Enumerable.Range(0, count).Select(_ => Real())], shape),
            TensorElementType.Float16 =>
                OrtValue.CreateTensorValueFromMemory([.. Enumerable.Range(0, count).Select(_ => (Float16)Real())], shape),
            TensorElementType.Int64 => OrtValue.CreateTensorValueFromMemory([.. Enumerable.Range(0, count).Select(Whole)], shape),
            TensorElementType.Int32 =>
                OrtValue.CreateTensorValueFromMemory([.. Enumerable.Range(0, count).Select(index => (int)Whole(index))], shape),
            TensorElementType.Bool => OrtValue.CreateTensorValueFromMemory([.. Enumerable.Repeat(mask, count)], shape),
            _ => null,
        };
    }

    /// <summary>Box and Muller's transformation (1958).</summary>
    private static float Normal(Random random) =>
        (float)(Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
}
