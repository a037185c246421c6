using System.Globalization;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cairn.Frameworks.Engine.Decoding;

/// <summary>An ONNX Runtime session of a decoder, its layout, and the buffers that every run needs.</summary>
internal sealed unsafe class DecoderSession : IDisposable
{
    private readonly NativeBuffer _ids;
    private readonly NativeBuffer _mask;
    private readonly NativeBuffer _positions;
    private readonly NativeBuffer _keep = new(sizeof(long));
    private NativeBuffer _logits = new(1);
    private float[] _floats = [];

    /// <param name="rows">Sequences decoded together.</param>
    public DecoderSession(InferenceSession session, GraphLayout layout, int rows, int contextLength)
    {
        (Session, Layout, Rows, ContextLength) = (session, layout, rows, contextLength);
        Memory = OrtMemoryInfo.DefaultInstance;
        Options = new RunOptions();
        var most = Math.Max(rows, contextLength);
        _ids = new NativeBuffer((long)most * sizeof(long));
        _positions = new NativeBuffer((long)most * sizeof(long));
        _mask = new NativeBuffer((long)rows * contextLength * sizeof(long));
        _keep.Span<long>(1)[0] = 1;
    }

    public InferenceSession Session { get; }
    public GraphLayout Layout { get; }
    public OrtMemoryInfo Memory { get; }
    public RunOptions Options { get; }
    public int Rows { get; }
    public int ContextLength { get; }
    public int VocabularySize { get; private set; }

    /// <summary>Whether the graph gives logits for a run's last token only.</summary>
    public bool LastLogitsOnly { get; private set; }

    /// <summary>Opens a folder's graph.</summary>
    /// <exception cref="ModelLoadException">ONNX Runtime refuses the file, or the graph is no decoder.</exception>
    public static (InferenceSession Session, GraphLayout Layout) Open(ModelFolder folder, int threads, int spinMicroseconds)
    {
        InferenceSession? session = null;
        try
        {
            var file = GraphFile.Skim(folder.Model);
            using var options = SessionOptionsFor(threads, spinMicroseconds);
            session = new InferenceSession(folder.Model, options);
            return (session, GraphLayout.Read(session, folder, file));
        }
        catch (Exception error) when (error is OnnxRuntimeException or Onnx.OnnxFormatException or OverflowException
            or IOException or UnauthorizedAccessException)
        {
            session?.Dispose();
            var named = error.Message.Contains(folder.Model, StringComparison.Ordinal);
            throw new ModelLoadException(named ? error.Message : $"{folder.Model}: {error.Message}", error);
        }
        catch (ModelLoadException)
        {
            session?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Threads that wait for work spin for a bounded time, then sleep: operators follow one another within microseconds, while a spin
    /// without a bound makes a step several times slower where another thread wants the core, and burns an idle machine.
    /// </summary>
    private static SessionOptions SessionOptionsFor(int threads, int spinMicroseconds)
    {
        var options = new SessionOptions
        {
            IntraOpNumThreads = threads, InterOpNumThreads = 1, ExecutionMode = ExecutionMode.ORT_SEQUENTIAL, EnableMemoryPattern = false,
            LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", spinMicroseconds > 0 ? "1" : "0");
        options.AddSessionConfigEntry("session.intra_op.spin_duration_us", spinMicroseconds.ToString(CultureInfo.InvariantCulture));
        return options;
    }

    public Span<long> Ids(int count) => _ids.Span<long>(count);

    public Span<long> Positions(int count) => _positions.Span<long>(count);

    public Span<long> Mask(int count) => _mask.Span<long>(count);

    /// <summary>Binds ids, positions and mask of a run to what <see cref="Ids"/> and its like hold.</summary>
    public void BindTokens(OrtIoBinding binding, int batch, int tokens, int maskWidth)
    {
        BindLongs(binding, Layout.Ids, _ids, [batch, tokens]);
        BindLongs(binding, Layout.Positions, _positions, [batch, tokens]);
        BindLongs(binding, Layout.Mask, _mask, [batch, maskWidth]);
        BindLongs(binding, Layout.LogitsToKeep, _keep, []);
    }

    /// <summary>Binds the logits of a run to the one buffer that all runs share.</summary>
    public void BindLogits(OrtIoBinding binding, int batch, int tokens)
    {
        var told = LastLogitsOnly ? 1 : tokens;
        var bytes = (long)batch * told * VocabularySize * LogitBytes;
        if (_logits.Bytes < bytes)
        {
            _logits.Dispose();
            _logits = new NativeBuffer(bytes);
            LogitsMoved++;
        }
        using var value = OrtValue.CreateTensorValueWithData(
            Memory, Layout.LogitsType, [batch, told, VocabularySize], (nint)_logits.Start, bytes);
        binding.BindOutput(Layout.Logits, value);
    }

    // A binding keeps its own reference to a value, and a value made over memory does not own it.
    private void BindLongs(OrtIoBinding binding, string? name, NativeBuffer buffer, long[] shape)
    {
        if (name is null)
            return;
        var bytes = shape.Aggregate((long)sizeof(long), (product, size) => product * size);
        using var value = OrtValue.CreateTensorValueWithData(Memory, TensorElementType.Int64, shape, (nint)buffer.Start, bytes);
        binding.BindInput(name, value);
    }

    /// <summary>Grows whenever the logits' buffer moves: whoever bound it binds it again.</summary>
    public int LogitsMoved { get; private set; }

    /// <summary>The logits of a batch's last tokens, as floats.</summary>
    public Span<float> ReadLogits(int batch, int tokens)
    {
        var told = LastLogitsOnly ? 1 : tokens;
        if (Layout.LogitsType == TensorElementType.Float && (told == 1 || batch == 1))
            return new Span<float>((float*)_logits.Start + (long)(told - 1) * VocabularySize, batch * VocabularySize);
        if (_floats.Length < batch * VocabularySize)
            _floats = new float[batch * VocabularySize];
        for (var row = 0; row < batch; row++)
        {
            var from = (long)((row + 1) * told - 1) * VocabularySize;
            var halves = new ReadOnlySpan<Half>((Half*)_logits.Start + from, VocabularySize);
            System.Numerics.Tensors.TensorPrimitives.ConvertToSingle(halves, _floats.AsSpan(row * VocabularySize, VocabularySize));
        }
        return _floats.AsSpan(0, batch * VocabularySize);
    }

    /// <summary>Runs what is bound, and learns from its logits how many the graph gives. For a decoder's first run.</summary>
    /// <exception cref="ModelLoadException">The graph cannot run, or gives logits of another shape.</exception>
    public void Learn(OrtIoBinding binding, int tokens, string model)
    {
        try
        {
            binding.BindOutputToDevice(Layout.Logits, Memory);
            Session.RunWithBinding(Options, binding);
            using var outputs = binding.GetOutputValues();
            Learn(outputs[binding.GetOutputNames().IndexOf(Layout.Logits)].GetTensorTypeAndShape().Shape, tokens, model);
        }
        catch (OnnxRuntimeException error)
        {
            throw new ModelLoadException($"{model}: a first run of {tokens} tokens fails: {error.Message}", error);
        }
    }

    private void Learn(ReadOnlySpan<long> shape, int tokens, string model)
    {
        if (shape.Length != 3 || shape[0] != 1 || (shape[1] != tokens && shape[1] != 1) || shape[2] is < 1 or > 1 << 24)
            throw new ModelLoadException(
                $"{model}: logits for {tokens} tokens have the shape [{string.Join(", ", shape.ToArray())}]; "
                + $"expected [1, {tokens}, vocabulary] or [1, 1, vocabulary]");
        LastLogitsOnly = shape[1] == 1 && tokens > 1;
        VocabularySize = (int)shape[2];
    }

    private int LogitBytes => Layout.LogitsType == TensorElementType.Float16 ? 2 : 4;

    public void Dispose()
    {
        Options.Dispose();
        Session.Dispose();
        _ids.Dispose();
        _mask.Dispose();
        _positions.Dispose();
        _keep.Dispose();
        _logits.Dispose();
    }
}
