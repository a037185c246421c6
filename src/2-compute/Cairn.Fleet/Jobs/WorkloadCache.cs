using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Workloads;

namespace Cairn.Fleet.Jobs;

/// <summary>A workload file that was read once.</summary>
/// <param name="Hash">Of its text and name.</param>
/// <param name="Result">What the parser said.</param>
/// <param name="SpecTexts">The steps' workloads as JSON, when there are no errors.</param>
internal sealed record ParsedWorkload(string Hash, WorkloadParseResult Result, IReadOnlyList<string> SpecTexts);

/// <summary>The files read last: a thousand equal submissions are parsed once.</summary>
internal sealed class WorkloadCache
{
    private const int Most = 512;

    private readonly ConcurrentDictionary<string, ParsedWorkload> _byHash = new(StringComparer.Ordinal);

    public ParsedWorkload Parse(string text, string fileName)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(fileName + "\0" + text)));
        if (_byHash.TryGetValue(hash, out var known))
            return known;
        var result = WorkloadParser.Parse(text, fileName);
        var parsed = new ParsedWorkload(
            hash, result, [.. (result.File?.Steps ?? []).Select(step => JsonSerializer.Serialize(step.Workload, ApiJson.Compact))]);
        if (_byHash.Count >= Most)
            _byHash.Clear();
        return _byHash[hash] = parsed;
    }
}
