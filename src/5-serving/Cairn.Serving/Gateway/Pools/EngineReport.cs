namespace Cairn.Serving.Gateway.Pools;

/// <summary>What an engine says of itself.</summary>
/// <param name="Running">Requests that it works on.</param>
/// <param name="Waiting">Requests in its queue.</param>
/// <param name="CacheUsage">How full its cache of keys and values is, 0 to 1; 0 where it does not say.</param>
/// <param name="Adapters">Those that it has loaded.</param>
/// <param name="MostAdapters">How many it can have loaded at once; 0 where it does not say.</param>
internal sealed record EngineReport(double Running, double Waiting, float CacheUsage, IReadOnlyList<string> Adapters, int MostAdapters);
