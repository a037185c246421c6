using System.Globalization;

namespace Cairn.Hardware.Discovery;

/// <summary>
/// Reads small files of the kernel below a root. A file that is missing or refused reads as absent: half of them are, on any one
/// machine.
/// </summary>
internal sealed class MachineFiles(string root)
{
    /// <summary>Kernel files of interest are small; more than this is not one of them.</summary>
    private const int MaxLines = 100_000;

    public string PathOf(string relative) => Path.Combine(root, relative.TrimStart('/'));

    public IReadOnlyList<string> Lines(string relative)
    {
        try
        {
            return [.. File.ReadLines(PathOf(relative)).Take(MaxLines)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>The first line without blanks around it; null where there is none.</summary>
    public string? Line(string relative) =>
        Lines(relative) is [var first, ..] && first.Trim('\0', ' ', '\t') is { Length: > 0 } text ? text : null;

    public long? Number(string relative) =>
        long.TryParse(Line(relative), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null;

    /// <summary>The value of <c>Key: value</c> in <c>/proc/self/status</c>.</summary>
    public string? Status(string key) => Keyed("proc/self/status", key);

    /// <summary>The value of <c>Key: 123 kB</c>, in bytes.</summary>
    public long? KeyedKibibytes(string relative, string key) =>
        Keyed(relative, key)?.Split(' ') is [var number, "kB"]
            && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value * 1024
            : null;

    public IReadOnlyList<string> Folders(string relative)
    {
        try
        {
            var names = Directory.EnumerateDirectories(PathOf(relative)).Select(Path.GetFileName);
            return [.. names.Order(StringComparer.Ordinal).Select(name => $"{relative}/{name}")];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private string? Keyed(string relative, string key)
    {
        foreach (var line in Lines(relative))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon > 0 && line.AsSpan(0, colon).TrimEnd().SequenceEqual(key))
                return line[(colon + 1)..].Trim();
        }

        return null;
    }
}
