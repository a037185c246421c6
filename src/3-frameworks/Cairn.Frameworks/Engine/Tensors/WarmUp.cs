using System.Runtime.InteropServices;
using Cairn.Frameworks.Engine.OpenInference.Wire;
using Microsoft.ML.OnnxRuntime;

namespace Cairn.Frameworks.Engine.Tensors;

/// <summary>Runs a version's <c>model_warmup</c> samples before it serves, so that no caller pays for first executions.</summary>
internal static class WarmUp
{
    private const int RunsLimit = 1000;

    /// <exception cref="ModelLoadException">A sample does not fit the model.</exception>
    public static void Run(ModelConfig config, string folder, TensorSession session)
    {
        foreach (var sample in config.ModelWarmup)
        {
            try
            {
                var inputs = sample.Inputs.Select(pair => Input(pair.Key, pair.Value, sample, config, folder)).ToList();
                var (arranged, _) = new RequestCheck(config).Arrange(inputs);
                for (var run = 0; run < Math.Min(Math.Max(sample.Count, 1), RunsLimit); run++)
                    session.Run(arranged, session.Outputs);
            }
            catch (Exception failure) when (failure is RefusedException or IOException or OverflowException or OnnxRuntimeException)
            {
                throw new ModelLoadException($"model_warmup '{sample.Name}' of '{config.Name}' failed: {failure.Message}", failure);
            }
        }
    }

    private static Tensor Input(string name, ModelWarmup.Types.Input input, ModelWarmup sample, ModelConfig config, string folder)
    {
        if (TensorTypes.From(input.DataType) is not { } type)
            throw RefusedException.Invalid($"input '{name}' has no data_type");
        var rows = Math.Max(sample.BatchSize, 1);
        var batched = config.MaxBatchSize > 0;
        long[] shape = batched ? [rows, .. input.Dims] : [.. input.Dims];
        if (!batched && rows > 1)
            throw RefusedException.Invalid($"batch_size is {rows}, but the model has no batch dimension");
        var one = Content(name, type, input, folder);
        var data = new byte[checked(one.Length * (batched ? (int)rows : 1))];
        for (var offset = 0; offset < data.Length; offset += one.Length)
            one.CopyTo(data, offset);
        TensorContents.Check(name, type, shape, data);
        return new(name, type, shape, data);
    }

    private static byte[] Content(string name, TensorType type, ModelWarmup.Types.Input input, string folder)
    {
        long[] dims = [.. input.Dims];
        if (input.InputDataTypeCase == ModelWarmup.Types.Input.InputDataTypeOneofCase.InputDataFile)
            return File.ReadAllBytes(ModelFolder.FileIn(Path.Combine(folder, "warmup"), input.InputDataFile));
        if (type == TensorType.Bytes)
            return new byte[checked((int)TensorContents.Elements(dims, name) * 4)];
        var data = new byte[TensorContents.Bytes(type, dims, name)];
        if (input.InputDataTypeCase != ModelWarmup.Types.Input.InputDataTypeOneofCase.RandomData)
            return data;
        // Small numbers of the right type: raw random bits would be NaN, and indices out of any range.
        var random = new Random(1);
        if (type == TensorType.Float32)
            foreach (ref var value in MemoryMarshal.Cast<byte, float>(data.AsSpan()))
                value = random.NextSingle();
        else if (type == TensorType.Float64)
            foreach (ref var value in MemoryMarshal.Cast<byte, double>(data.AsSpan()))
                value = random.NextDouble();
        else if (type is not (TensorType.Float16 or TensorType.BFloat16))
            for (var i = 0; i < data.Length; i += type.Size())
                data[i] = (byte)random.Next(2);
        return data;
    }
}
