using YamlDotNet.Core;

namespace Cairn.Contracts.Workloads.Yaml;

/// <summary>Says what is wrong with text that is not YAML, in the words of the person who wrote it.</summary>
internal static class YamlSyntax
{
    public static void Report(string text, YamlException wrong, Findings findings)
    {
        var line = Math.Max(1, (int)wrong.Start.Line);
        var column = Math.Max(1, (int)wrong.Start.Column);
        if (wrong.Message.Contains("tab", StringComparison.Ordinal) && FindTab(text, line) is var (tabLine, tabColumn) && tabLine > 0)
        {
            findings.Error(tabLine, tabColumn, DiagnosticCodes.Syntax, "a tab indents this line; YAML is indented with spaces");
            return;
        }

        findings.Error(line, column, DiagnosticCodes.Syntax, $"not valid YAML: {Explain(wrong.Message)}");
    }

    private static string Explain(string message)
    {
        if (message.Contains("invalid mapping", StringComparison.Ordinal)
            || message.Contains("mapping values are not allowed", StringComparison.OrdinalIgnoreCase))
            return "a second ': ' on one line; quote the value, or check the indentation";
        if (message.Contains("cannot start any token", StringComparison.Ordinal))
            return "a value may not start with this character; put it in quotes";
        if (message.Contains("unexpected end of stream", StringComparison.Ordinal))
            return "a quote opens here and is never closed";
        if (message.Contains("did not find expected node content", StringComparison.Ordinal))
            return "a value is missing here, or a bracket is not closed";
        if (message.Contains("did not find expected key", StringComparison.Ordinal))
            return "expected 'key: value' here; check the colon and the indentation";
        if (message.Contains("did not find expected '-'", StringComparison.Ordinal))
            return "expected '- item' here; check the indentation";
        var start = message.IndexOf(", ", StringComparison.Ordinal);
        var what = start >= 0 && message.StartsWith("While ", StringComparison.Ordinal) ? message[(start + 2)..] : message;
        return Excerpt.Of(char.ToLowerInvariant(what[0]) + what[1..].TrimEnd('.'));
    }

    /// <summary>The first tab in the indentation of a line, from the given line on; the scanner names the token that it was in.</summary>
    private static (int Line, int Column) FindTab(string text, int fromLine)
    {
        var number = 0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (++number < fromLine)
                continue;
            var indent = line.IndexOfAnyExcept(' ');
            if (indent >= 0 && line[indent] == '\t')
                return (number, indent + 1);
        }

        return (0, 0);
    }
}
