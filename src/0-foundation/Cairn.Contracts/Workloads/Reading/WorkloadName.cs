using System.Text;
using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>
/// Names of workloads, steps and projects: lower-case letters, digits and hyphens, first a letter or digit, at most 63 (as RFC 1123
/// labels).
/// </summary>
internal static class WorkloadName
{
    public const int MaxLength = 63;

    public static string Read(FieldValue value)
    {
        var word = value.Word("a name of lower-case letters, digits and hyphens");
        if (word.Length == 0 || IsName(word))
            return word;
        var near = From(word);
        if (value.Reader.Dialect == WorkloadDialect.SkyPilot && near is not null && !near.Equals(word, StringComparison.Ordinal))
        {
            value.Warn(
                DiagnosticCodes.Suspicious,
                $"'{Excerpt.Of(word)}' is written '{near}' here: names have lower-case letters, digits and hyphens");
            return near;
        }

        var hint = near is null ? "" : $"; did you mean '{near}'?";
        value.Error(
            DiagnosticCodes.InvalidValue,
            $"expected lower-case letters, digits and hyphens, at most {MaxLength}, found '{Excerpt.Of(word)}'{hint}");
        return word;
    }

    /// <summary>The name of a workload that has none: that of its file.</summary>
    public static string OfFile(string fileName)
    {
        var name = fileName[(fileName.LastIndexOfAny(['/', '\\']) + 1)..];
        if (name.StartsWith('.'))
            name = name[1..];
        return From(name.IndexOf('.') is var dot and > 0 ? name[..dot] : name) ?? "workload";
    }

    private static bool IsName(string word) =>
        word.Length is > 0 and <= MaxLength && char.IsAsciiLetterOrDigit(word[0])
        && word.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-');

    /// <summary>The nearest name, or null where no letter or digit is left.</summary>
    private static string? From(string word)
    {
        var name = new StringBuilder();
        foreach (var c in word.ToLowerInvariant())
        {
            if (char.IsAsciiLetterOrDigit(c))
                name.Append(c);
            else if (name.Length > 0 && name[^1] != '-')
                name.Append('-');
        }

        var text = name.ToString(0, Math.Min(name.Length, MaxLength)).TrimEnd('-');
        return text.Length == 0 ? null : text;
    }
}
