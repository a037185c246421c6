namespace Cairn.Serving.Endpoints;

/// <summary>Spreads an endpoint's replicas over regions; pure.</summary>
internal static class ReplicaSpread
{
    /// <summary>The regions that have replicas, those with the most last: what the next replica avoids.</summary>
    /// <param name="regions">One entry per live replica that has a place, as <c>provider/region</c>.</param>
    public static IReadOnlyList<string> Avoid(IEnumerable<string> regions) =>
        [.. regions.Where(IsPattern).GroupBy(r => r, StringComparer.OrdinalIgnoreCase).OrderBy(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).Select(g => g.Key)];

    /// <summary>A node may call its region anything; what a workload file could not say is not avoided.</summary>
    private static bool IsPattern(string region) => region.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '/');

    /// <summary>
    /// Whether a replica's job waits for another's to get its place, which it is to avoid. One that waits for room holds nobody up.
    /// </summary>
    public static bool Waits(IEnumerable<ReplicaSeen> others) => others.Any(o => o is { Row.JobId: not null, Task: null, WaitsForRoom: false, End: null });
}
