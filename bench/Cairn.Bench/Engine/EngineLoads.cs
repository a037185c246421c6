using Cairn.Bench.Tensors;

namespace Cairn.Bench.Engine;

/// <summary>The embedded engine's loads by name; each takes how many rounds to measure as its argument.</summary>
internal static class EngineLoads
{
    private static readonly Dictionary<string, Func<string[], Task<bool>>> s_loads = new()
    {
        ["engine-batch"] = BatchLoad.RunAsync,
        ["engine-http"] = HttpLoad.RunAsync,
        ["engine-llama"] = LlamaLoad.RunAsync,
        ["engine-prefix"] = PrefixLoad.RunAsync,
        ["engine-smooth"] = SmoothLoad.RunAsync,
        ["engine-cold"] = ColdLoad.RunAsync,
        ["engine-json"] = JsonLoad.RunAsync,
        ["engine-trees"] = TensorsLoad.RunAsync,
        ["engine-unload"] = UnloadLoad.RunAsync,
    };

    public static IEnumerable<string> Names => s_loads.Keys;

    /// <summary>Null where the name is none of these.</summary>
    public static Func<string[], Task<bool>>? Find(string name) => s_loads.GetValueOrDefault(name);
}
