using System.Diagnostics;
using System.Globalization;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Cairn.Frameworks.Onnx.Decoders;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cairn.Bench.Engine;

/// <summary>
/// What is compared with: ONNX Runtime's session and a step loop, nothing else. Keys and values are updated in place, everything is bound
/// once, a step is a run and the likeliest token of every row.
/// </summary>
internal sealed unsafe class BareLoop : IDisposable
{
    private const int Context = 1024;
    private static readonly DecoderShape s_shape = DecoderShape.Bench;

    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly OrtIoBinding _binding;
    private readonly List<nint> _buffers = [];
    private readonly int _batch;
    private readonly int _width;
    private readonly long* _ids;
    private readonly long* _mask;
    private readonly float* _logits;

    /// <param name="batch">Rows of a step.</param>
    /// <param name="length">Tokens of a row at the end.</param>
    /// <param name="threads">Of a step.</param>
    /// <param name="spinMicroseconds">How long one of them waits for work without sleeping; null leaves ONNX Runtime its default.</param>
    public BareLoop(int batch, int length, int threads, int? spinMicroseconds = null)
    {
        (_batch, _width) = (batch, length);
        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        if (spinMicroseconds is { } spin)
            options.AddSessionConfigEntry("session.intra_op.spin_duration_us", spin.ToString(CultureInfo.InvariantCulture));
        _session = new InferenceSession(Path.Combine(BenchModels.Large(), "model.onnx"), options);
        _binding = _session.CreateIoBinding();
        long[] cache = [batch, s_shape.KeyValueHeads, Context, s_shape.HeadSize];
        for (var layer = 0; layer < s_shape.Layers; layer++)
            foreach (var part in (string[])["key", "value"])
                Bind(TensorElementType.Float, sizeof(float), cache, $"past_key_values.{layer}.{part}", $"present.{layer}.{part}");
        _ids = (long*)Bind(TensorElementType.Int64, sizeof(long), [batch, 1], "input_ids", null);
        _mask = (long*)Bind(TensorElementType.Int64, sizeof(long), [batch, length], "attention_mask", null);
        _logits = (float*)Bind(TensorElementType.Float, sizeof(float), [batch, 1, s_shape.Vocabulary], null, "logits");
    }

    /// <summary>Tokens a second of all rows, from the end of the prompt to <paramref name="until"/> tokens a row.</summary>
    public double TokensPerSecond(int prompt, int until)
    {
        new Span<long>(_mask, _batch * _width).Clear();
        for (var row = 0; row < _batch; row++)
            _ids[row] = 1_000 + row;
        for (var past = 0; past < prompt; past++)
            Step(past);
        var began = Stopwatch.GetTimestamp();
        for (var past = prompt; past < until; past++)
            Step(past);
        return _batch * (until - prompt) / Stopwatch.GetElapsedTime(began).TotalSeconds;
    }

    public void Dispose()
    {
        _binding.Dispose();
        _run.Dispose();
        _session.Dispose();
        foreach (var buffer in _buffers)
            NativeMemory.AlignedFree((void*)buffer);
    }

    private void Step(int past)
    {
        for (var row = 0; row < _batch; row++)
            _mask[row * _width + past] = 1;
        _session.RunWithBinding(_run, _binding);
        for (var row = 0; row < _batch; row++)
            _ids[row] = TensorPrimitives.IndexOfMax(new ReadOnlySpan<float>(_logits + (long)row * s_shape.Vocabulary, s_shape.Vocabulary));
    }

    private void* Bind(TensorElementType type, int size, long[] shape, string? input, string? output)
    {
        var bytes = shape.Aggregate((long)size, (product, dim) => product * dim);
        var buffer = NativeMemory.AlignedAlloc((nuint)bytes, 64);
        NativeMemory.Clear(buffer, (nuint)bytes);
        _buffers.Add((nint)buffer);
        using var value = OrtValue.CreateTensorValueWithData(OrtMemoryInfo.DefaultInstance, type, shape, (nint)buffer, bytes);
        if (input is not null)
            _binding.BindInput(input, value);
        if (output is not null)
            _binding.BindOutput(output, value);
        return buffer;
    }
}
