using System.Globalization;

namespace Cairn.Fleet.Catalog.SkyPilot;

/// <summary>
/// Which cards belong to which Google host types: its catalogue prices hosts and cards in rows of their own (Google Compute Engine
/// documentation, "GPU machine types"). Accelerator-optimised types exist only with their cards; N1 takes cards of the older kinds.
/// </summary>
internal static class GoogleHosts
{
    /// <summary>Cards that are attached to N1 hosts.</summary>
    private static readonly string[] s_attachable = ["T4", "V100-16GB", "P100-16GB", "P4", "K80"];

    /// <returns>The canonical card and its count, or null for a type without cards.</returns>
    public static (string Accelerator, int Count)? CardsOf(string hostType, double cpus) => hostType.Split('-') switch
    {
        ["a2", "highgpu" or "megagpu", var n, ..] when Count(n) is { } count => ("A100-40GB", count),
        ["a2", "ultragpu", var n, ..] when Count(n) is { } count => ("A100-80GB", count),
        ["a3", "ultragpu", var n, ..] when Count(n) is { } count => ("H200-SXM-141GB", count),
        ["a3", _, var n, ..] when Count(n) is { } count => ("H100-SXM-80GB", count),
        ["a4", _, var n, ..] when Count(n) is { } count => ("B200-180GB", count),
        ["a4x", _, var n, ..] when Count(n) is { } count => ("GB200-186GB", count),
        ["g2", ..] => ("L4", cpus switch { >= 96 => 8, >= 48 => 4, 24 => 2, _ => 1 }),
        ["g4", ..] => ("RTX-PRO-6000-SERVER", Math.Max(1, (int)(cpus / 48))),
        _ => null,
    };

    public static bool IsAttachable(string accelerator) => s_attachable.Contains(accelerator, StringComparer.Ordinal);

    /// <summary>A host that cards of the older kinds can be attached to.</summary>
    public static bool TakesCards(string hostType) => hostType.StartsWith("n1-standard-", StringComparison.Ordinal);

    /// <summary><c>8g</c> is 8.</summary>
    private static int? Count(string word) =>
        word.EndsWith('g') && int.TryParse(word.AsSpan(0, word.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            && count > 0 ? count : null;
}
