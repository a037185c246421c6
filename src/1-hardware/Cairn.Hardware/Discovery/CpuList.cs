using System.Globalization;

namespace Cairn.Hardware.Discovery;

/// <summary>The kernel's lists of CPUs, such as <c>0-3,8,10-11</c>.</summary>
internal static class CpuList
{
    private const int MaxCpus = 65_536;

    /// <returns>Null where the text is empty or no list.</returns>
    public static IReadOnlySet<int>? Parse(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        var cpus = new HashSet<int>();
        foreach (var part in text.Split(',', StringSplitOptions.TrimEntries))
        {
            var dash = part.IndexOf('-', StringComparison.Ordinal);
            if (!TryNumber(dash < 0 ? part : part[..dash], out var first)
                || !TryNumber(dash < 0 ? part : part[(dash + 1)..], out var last) || first > last)
                return null;
            cpus.UnionWith(Enumerable.Range(first, last - first + 1));
        }

        return cpus;
    }

    /// <summary>
    /// What both allow. An empty result means that the two lists count differently, as in some sandboxes; then the first one stands.
    /// </summary>
    public static IReadOnlySet<int> Intersect(IReadOnlySet<int> first, IReadOnlySet<int> second)
    {
        var both = first.Where(second.Contains).ToHashSet();
        return both.Count > 0 ? both : first;
    }

    private static bool TryNumber(string text, out int value) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value < MaxCpus;
}
