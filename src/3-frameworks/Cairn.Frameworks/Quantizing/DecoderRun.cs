using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cairn.Frameworks.Quantizing;

/// <summary>
/// Runs a decoder graph one sequence at a time, for measuring: logits of every position, keys and values handed from call to call. Works
/// with both layouts that the engine knows; a graph that gives the last token's logits only reads token by token. Not for concurrent use.
/// </summary>
internal sealed class DecoderRun : IDisposable
{
    // How many of a run's last tokens get logits, where a graph asks; 0 is all of them.
    private const string KeepName = "num_logits_to_keep";
    private readonly InferenceSession _session;
    private readonly bool _owned;
    private readonly RunOptions _options = new();
    private readonly List<string> _cacheInputs;
    private readonly string[] _outputs;
    private List<OrtValue> _cache;
    private IDisposableReadOnlyCollection<OrtValue>? _results;
    private bool _givesLastOnly;

    /// <param name="threads">Threads of one operator; 0 lets the runtime choose.</param>
    internal DecoderRun(string modelPath, int threads = 0) : this(Open(modelPath, threads)) => _owned = true;

    /// <param name="session">Stays the caller's.</param>
    internal DecoderRun(InferenceSession session)
    {
        _session = session;
        _cacheInputs = [.. session.InputMetadata.Keys.Where(name => name.StartsWith("past_key_values.", StringComparison.Ordinal))];
        _outputs = ["logits", .. _cacheInputs.Select(name => name.Replace("past_key_values", "present", StringComparison.Ordinal))];
        _cache = EmptyCache();
    }

    private static InferenceSession Open(string modelPath, int threads)
    {
        using var options = new SessionOptions
        {
            IntraOpNumThreads = threads, InterOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR,
        };
        return new InferenceSession(modelPath, options);
    }

    /// <summary>Tokens whose keys and values are held.</summary>
    internal int Length { get; private set; }

    /// <summary>Whether a graph has the inputs and outputs of a decoder with a cache.</summary>
    internal static bool Fits(IEnumerable<string> inputs, IEnumerable<string> outputs) =>
        inputs.Contains("input_ids") && inputs.Contains("attention_mask") && outputs.Contains("logits")
        && inputs.Any(name => name.StartsWith("past_key_values.", StringComparison.Ordinal));

    /// <summary>Continues with tokens.</summary>
    /// <returns>The logits after each of them, [tokens, vocabulary].</returns>
    internal float[] Continue(ReadOnlySpan<int> tokens)
    {
        if ((!_givesLastOnly || tokens.Length == 1) && Run(tokens) is { } logits)
            return logits;
        _givesLastOnly = true;
        var all = new List<float>();
        foreach (var token in tokens)
            all.AddRange(Run([token])!);
        return [.. all];
    }

    /// <returns>Null, and nothing is changed, where the graph gives logits for the last of several tokens only.</returns>
    private float[]? Run(ReadOnlySpan<int> tokens)
    {
        var ids = new long[tokens.Length];
        var positions = new long[tokens.Length];
        for (var i = 0; i < tokens.Length; i++)
            (ids[i], positions[i]) = (tokens[i], Length + i);
        var mask = new long[Length + tokens.Length];
        Array.Fill(mask, 1);
        var (names, values) = (new List<string>(), new List<OrtValue>());
        Add("input_ids", ids);
        Add("attention_mask", mask);
        if (_session.InputMetadata.ContainsKey("position_ids"))
            Add("position_ids", positions);
        if (_session.InputMetadata.ContainsKey(KeepName) || _session.OverridableInitializerMetadata.ContainsKey(KeepName))
            Add(KeepName, [0], scalar: true);
        var results = _session.Run(_options, [.. names, .. _cacheInputs], [.. values, .. _cache], _outputs);
        values.ForEach(value => value.Dispose());
        if (results[0].GetTensorTypeAndShape().Shape[1] < tokens.Length)
        {
            results.Dispose();
            return null;
        }
        Keep(results);
        Length += tokens.Length;
        return Floats(results[0]);

        void Add(string name, long[] data, bool scalar = false)
        {
            names.Add(name);
            values.Add(OrtValue.CreateTensorValueFromMemory(data, scalar ? [] : [1, data.Length]));
        }
    }

    /// <summary>Forgets every token.</summary>
    internal void Restart()
    {
        Release();
        _cache = EmptyCache();
        Length = 0;
    }

    private void Keep(IDisposableReadOnlyCollection<OrtValue> results)
    {
        Release();
        _results = results;
        _cache = [.. results.Skip(1)];
    }

    private void Release()
    {
        _cache.ForEach(value => value.Dispose());
        _results?.Dispose();
        _results = null;
    }

    private static float[] Floats(OrtValue value) => value.GetTensorTypeAndShape().ElementDataType == TensorElementType.Float16
        ? Array.ConvertAll(value.GetTensorDataAsSpan<Float16>().ToArray(), half => half.ToFloat())
        : value.GetTensorDataAsSpan<float>().ToArray();

    private List<OrtValue> EmptyCache() => [.. _cacheInputs.Select(name =>
    {
        var metadata = _session.InputMetadata[name];
        long[] shape = [1, metadata.Dimensions[1], 0, metadata.Dimensions[3]];
        return metadata.ElementDataType == TensorElementType.Float16
            ? OrtValue.CreateTensorValueFromMemory(Array.Empty<Float16>(), shape)
            : OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), shape);
    })];

    public void Dispose()
    {
        Release();
        _options.Dispose();
        if (_owned)
            _session.Dispose();
    }
}
