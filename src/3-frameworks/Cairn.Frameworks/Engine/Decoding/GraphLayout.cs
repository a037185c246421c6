using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Cairn.Frameworks.Engine.Decoding;

/// <summary>What a decoder's graph takes and gives, read from its own inputs and outputs.</summary>
internal sealed partial record GraphLayout
{
    public required string Ids { get; init; }

    /// <summary>Null where the graph has none.</summary>
    public string? Mask { get; init; }
    public string? Positions { get; init; }

    /// <summary>How many of a run's last tokens get logits, where the graph asks.</summary>
    public string? LogitsToKeep { get; init; }
    public required string Logits { get; init; }

    /// <summary>The names of each layer's keys, then its values.</summary>
    public required IReadOnlyList<(string Past, string Present)> Cache { get; init; }
    public required int KeyValueHeads { get; init; }
    public required int HeadSize { get; init; }
    public required TensorElementType CacheType { get; init; }
    public required TensorElementType LogitsType { get; init; }

    /// <summary>Whether past and present may be one buffer that is updated in place.</summary>
    public required bool SharesBuffer { get; init; }

    /// <summary>Bits of most quantised weights; null where none are.</summary>
    public int? QuantizedBits { get; init; }

    public int CacheElementBytes => CacheType == TensorElementType.Float16 ? 2 : 4;

    /// <summary>Of all layers, keys and values.</summary>
    public long BytesPerToken => (long)Cache.Count * KeyValueHeads * HeadSize * CacheElementBytes;

    /// <exception cref="ModelLoadException">The graph is no decoder with a cache, or wants an input that is not known here.</exception>
    public static GraphLayout Read(InferenceSession session, ModelFolder folder, GraphFile file)
    {
        var inputs = session.InputMetadata;
        var cache = CacheNames(session, folder.Model);
        var past = inputs[cache[0].Past];
        var known = new HashSet<string>(cache.Select(c => c.Past), StringComparer.Ordinal);
        string? Known(string name) => inputs.ContainsKey(name) && known.Add(name) ? name : null;
        var layout = new GraphLayout
        {
            Ids = Known("input_ids")
                ?? throw new ModelLoadException($"{folder.Model}: has no input 'input_ids'; it has: {Listed(inputs)}"),
            Mask = Known("attention_mask"),
            Positions = Known("position_ids"),
            LogitsToKeep = Known("num_logits_to_keep"),
            Logits = session.OutputMetadata.ContainsKey("logits") ? "logits"
                : throw new ModelLoadException($"{folder.Model}: has no output 'logits'; it has: {Listed(session.OutputMetadata)}"),
            Cache = cache,
            KeyValueHeads = Size(past, 1, folder.KeyValueHeads, "key and value heads", folder.Model),
            HeadSize = Size(past, 3, folder.HeadSize, "head size", folder.Model),
            CacheType = Float(past, cache[0].Past, folder.Model),
            LogitsType = Float(session.OutputMetadata["logits"], "logits", folder.Model),
            QuantizedBits = file.QuantizedBits,
            SharesBuffer = cache.All(c => file.SharesBuffer(c.Past)) || (folder.SharesBuffer && cache.Any(c => file.SharesBuffer(c.Past))),
        };
        if (inputs.Keys.FirstOrDefault(name => !known.Contains(name)) is { } unknown)
            throw new ModelLoadException(
                $"{folder.Model}: wants the input '{unknown}', which is not known here; "
                + "known are input_ids, attention_mask, position_ids, num_logits_to_keep and past keys and values");
        if (layout.Mask is null && layout.SharesBuffer)
            throw new ModelLoadException($"{folder.Model}: has no input 'attention_mask', so its rows' lengths cannot be told");
        foreach (var name in new[] { layout.Ids, layout.Mask, layout.Positions, layout.LogitsToKeep })
            if (name is not null && inputs[name].ElementDataType != TensorElementType.Int64)
                throw new ModelLoadException($"{folder.Model}: the input '{name}' is {inputs[name].ElementDataType}; expected Int64");
        return layout;
    }

    private static List<(string Past, string Present)> CacheNames(InferenceSession session, string model)
    {
        var outputs = session.OutputMetadata.Keys.Select(name => (Name: name, Place: Place(name))).Where(o => o.Place is not null)
            .ToDictionary(o => o.Place!.Value, o => o.Name);
        var cache = new List<((int Layer, bool Value) Place, string Past, string Present)>();
        foreach (var name in session.InputMetadata.Keys)
        {
            if (!name.StartsWith("past", StringComparison.Ordinal) || Place(name) is not { } place)
                continue;
            if (!outputs.TryGetValue(place, out var present))
                throw new ModelLoadException($"{model}: the input '{name}' has no output that continues it");
            if (session.InputMetadata[name].Dimensions.Length != 4)
                throw new ModelLoadException(
                    $"{model}: the input '{name}' has {session.InputMetadata[name].Dimensions.Length} dimensions; "
                    + "expected [batch, heads, past, head size]");
            cache.Add((place, name, present));
        }
        cache.Sort((a, b) => a.Place.CompareTo(b.Place));
        return cache.Count > 0 ? [.. cache.Select(c => (c.Past, c.Present))]
            : throw new ModelLoadException($"{model}: has no past keys and values among its inputs ({Listed(session.InputMetadata)}); "
                + "expected a decoder exported with its cache");
    }

    private static string Listed(IReadOnlyDictionary<string, NodeMetadata> names) => string.Join(", ", names.Keys.Take(12));

    private static (int Layer, bool Value)? Place(string name) =>
        CacheName().Match(name) is { Success: true } match && int.TryParse(match.Groups["layer"].Value, out var layer)
            ? (layer, match.Groups["part"].Value[0] == 'v') : null;

    private static int Size(NodeMetadata past, int dimension, int? configured, string what, string model) =>
        past.Dimensions[dimension] > 0 ? past.Dimensions[dimension] : configured
            ?? throw new ModelLoadException($"{model}: neither the graph nor a config file tells the {what}");

    private static TensorElementType Float(NodeMetadata tensor, string name, string model) =>
        tensor.ElementDataType is TensorElementType.Float or TensorElementType.Float16 ? tensor.ElementDataType
            : throw new ModelLoadException($"{model}: '{name}' is {tensor.ElementDataType}; expected Float or Float16");

    // past_key_values.0.key and present.0.key as exporters write them; past_key_0, present_value_0 as older ones do.
    [GeneratedRegex(
        @"^(past_key_values|past|present)[._](((?<layer>\d+)[._](?<part>key|value))|((?<part>key|value)[._](?<layer>\d+)))$",
        RegexOptions.CultureInvariant)]
    private static partial Regex CacheName();
}
