using System.Text;

namespace Cairn.Cli.CommandLine;

/// <summary>Paths with query strings.</summary>
internal static class Query
{
    /// <summary>Leaves out what is null or empty.</summary>
    public static string Of(string path, params ReadOnlySpan<(string Name, string? Value)> parameters)
    {
        var text = new StringBuilder(path);
        var separator = '?';
        foreach (var (name, value) in parameters)
        {
            if (string.IsNullOrEmpty(value))
                continue;
            text.Append(separator).Append(name).Append('=').Append(Uri.EscapeDataString(value));
            separator = '&';
        }

        return text.ToString();
    }

    public static string Segment(string name) => Uri.EscapeDataString(name);
}
