using System.Collections.Frozen;
using System.Globalization;
using Cairn.Frameworks.Recipes.Serving;
using Cairn.Serving.Gateway.Pools;

namespace Cairn.Serving.Endpoints;

/// <summary>
/// Reads what an engine says of itself in Prometheus's text format, by the names of every recipe at once: nobody has to say which engine
/// it is. Pure. Of several ranks of one engine the requests are added up, and the fullest cache counts.
/// </summary>
internal static class EngineMetrics
{
    private const string AdaptersName = "vllm:lora_requests_info";

    /// <summary>Names that engines had before, for those that are not of today.</summary>
    private static readonly (string Name, Meaning Meaning)[] s_older =
        [("vllm:gpu_cache_usage_perc", Meaning.CacheUsage), ("llamacpp:kv_cache_usage_ratio", Meaning.CacheUsage)];

    private static readonly FrozenDictionary<string, Meaning>.AlternateLookup<ReadOnlySpan<char>> s_meanings = Names().GetAlternateLookup<ReadOnlySpan<char>>();

    /// <summary>Where engines tell, most of them first.</summary>
    public static IReadOnlyList<string> Paths { get; } = [.. ServingRecipes.All.Select(r => r.Metrics).OfType<MetricNames>().Where(m => m.PortOffset == 0)
        .GroupBy(m => m.Path).OrderByDescending(g => g.Count()).Select(g => g.Key)];

    private enum Meaning
    {
        Running,
        Waiting,
        CacheUsage,
        Adapters,
    }

    /// <returns>Null where no engine speaks.</returns>
    public static EngineReport? Read(ReadOnlySpan<char> text)
    {
        var (running, waiting, usage, known) = (0.0, 0.0, 0.0, false);
        var (adapters, most, newest) = ((IReadOnlyList<string>)[], 0, double.NegativeInfinity);
        foreach (var line in text.EnumerateLines())
        {
            var end = line.IndexOfAny('{', ' ', '\t');
            if (end <= 0 || !s_meanings.TryGetValue(line[..end], out var meaning) || !TryValue(line[end..], out var value))
                continue;
            known = true;
            switch (meaning)
            {
                case Meaning.Running: running += Math.Max(0, value); break;
                case Meaning.Waiting: waiting += Math.Max(0, value); break;
                case Meaning.CacheUsage: usage = Math.Max(usage, Math.Min(1, value)); break;
                // The series of every set of adapters that there ever was stay; their value is the time when each was true.
                case Meaning.Adapters when value > newest:
                    (adapters, most, newest) = (Loaded(line), MostOf(line), value);
                    break;
            }
        }
        return known ? new EngineReport(running, waiting, (float)usage, adapters, most) : null;
    }

    private static FrozenDictionary<string, Meaning> Names()
    {
        var names = new Dictionary<string, Meaning>(StringComparer.Ordinal) { [AdaptersName] = Meaning.Adapters };
        foreach (var (name, meaning) in s_older)
            names[name] = meaning;
        foreach (var metrics in ServingRecipes.All.Select(r => r.Metrics).OfType<MetricNames>())
        {
            Add(metrics.Running, Meaning.Running);
            Add(metrics.Waiting, Meaning.Waiting);
            Add(metrics.KvUsage, Meaning.CacheUsage);
        }
        return names.ToFrozenDictionary(StringComparer.Ordinal);

        void Add(string? name, Meaning meaning)
        {
            if (name is not null)
                names[name] = meaning;
        }
    }

    /// <summary>The number behind the name's labels, if there are any; a time may follow it.</summary>
    private static bool TryValue(ReadOnlySpan<char> line, out double value)
    {
        value = 0;
        var labels = line[0] == '{' ? line.LastIndexOf('}') : -1;
        if (labels < 0 && line[0] == '{')
            return false;
        var rest = line[(labels + 1)..].Trim();
        var end = rest.IndexOfAny(' ', '\t');
        return double.TryParse(end < 0 ? rest : rest[..end], NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
    }

    private static List<string> Loaded(ReadOnlySpan<char> line) =>
        [.. (Label(line, "running_lora_adapters") + "," + Label(line, "waiting_lora_adapters")).Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Distinct()];

    private static int MostOf(ReadOnlySpan<char> line) => int.TryParse(Label(line, "max_lora"), NumberStyles.None, CultureInfo.InvariantCulture, out var most) ? most : 0;

    /// <summary>The value of a label; adapters' names have no quotes, so escapes are not undone.</summary>
    private static string Label(ReadOnlySpan<char> line, string name)
    {
        var start = line.IndexOf(name + "=\"", StringComparison.Ordinal);
        if (start < 0)
            return "";
        var value = line[(start + name.Length + 2)..];
        var end = value.IndexOf('"');
        return end < 0 ? "" : value[..end].ToString();
    }
}
