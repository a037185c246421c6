using System.Text.Json;
using Microsoft.ML.OnnxRuntime;

namespace Cairn.Frameworks.Tests.Training;

/// <summary>
/// The plainest use of an exported decoder: ONNX Runtime, one sequence, keys and values handed from step to step. Knows nothing of Cairn's
/// engine, so it judges the export alone.
/// </summary>
internal sealed class BareDecoder : IDisposable
{
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();
    private readonly long[] _emptyPast;
    private readonly int _layers;

    public BareDecoder(string folder)
    {
        using var config = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(folder, "genai_config.json")));
        var decoder = config.RootElement.GetProperty("model").GetProperty("decoder");
        _layers = decoder.GetProperty("num_hidden_layers").GetInt32();
        _emptyPast = [1, decoder.GetProperty("num_key_value_heads").GetInt32(), 0, decoder.GetProperty("head_size").GetInt32()];
        using var options = new SessionOptions { IntraOpNumThreads = 1 };
        _session = new InferenceSession(Path.Combine(folder, decoder.GetProperty("filename").GetString()!), options);
    }

    public void Dispose()
    {
        _session.Dispose();
        _run.Dispose();
    }

    /// <summary>The logits after the last token of the prompt, which is fed whole.</summary>
    public float[] Logits(int[] prompt)
    {
        using var outputs = Step(prompt, prompt.Length, null);
        return Last(outputs[0]);
    }

    /// <summary>The likeliest tokens, one step each over the keys and values of the step before, until an end token or so many.</summary>
    public List<int> Greedy(int[] prompt, int most, IReadOnlyCollection<int> ends)
    {
        var said = new List<int>();
        var outputs = Step(prompt, prompt.Length, null);
        while (true)
        {
            var logits = Last(outputs[0]);
            said.Add(Array.IndexOf(logits, logits.Max()));
            if (said.Count == most || ends.Contains(said[^1]))
                break;
            var next = Step([said[^1]], prompt.Length + said.Count, outputs);
            outputs.Dispose();
            outputs = next;
        }

        outputs.Dispose();
        return said;
    }

    private IDisposableReadOnlyCollection<OrtValue> Step(int[] tokens, int total, IReadOnlyList<OrtValue>? past)
    {
        using var ids = OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(tokens, t => (long)t), [1, tokens.Length]);
        using var mask = OrtValue.CreateTensorValueFromMemory(Enumerable.Repeat(1L, total).ToArray(), [1, total]);
        using var empty = OrtValue.CreateTensorValueFromMemory(Array.Empty<float>(), _emptyPast);
        var inputs = new Dictionary<string, OrtValue> { ["input_ids"] = ids, ["attention_mask"] = mask };
        var names = new List<string> { "logits" };
        foreach (var (layer, part) in Enumerable.Range(0, 2 * _layers).Select(i => (i / 2, i % 2 == 0 ? "key" : "value")))
        {
            inputs[$"past_key_values.{layer}.{part}"] = past?[names.Count] ?? empty;
            names.Add($"present.{layer}.{part}");
        }

        return _session.Run(_run, inputs, names);
    }

    private static float[] Last(OrtValue logits)
    {
        var vocabulary = (int)logits.GetTensorTypeAndShape().Shape[2];
        return logits.GetTensorDataAsSpan<float>()[^vocabulary..].ToArray();
    }
}
