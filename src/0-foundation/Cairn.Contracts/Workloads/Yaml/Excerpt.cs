namespace Cairn.Contracts.Workloads.Yaml;

/// <summary>A word of the file as a message may repeat it: one line, no control characters, not long.</summary>
internal static class Excerpt
{
    private const int MaxLength = 60;

    public static string Of(string text)
    {
        var cut = text.Length > MaxLength ? text[..(char.IsHighSurrogate(text[MaxLength - 1]) ? MaxLength - 1 : MaxLength)] + "…" : text;
        return cut.AsSpan().IndexOfAnyInRange('\0', '\u001F') < 0 && !cut.Any(char.IsControl)
            ? cut
            : string.Concat(cut.Select(c => char.IsControl(c)
                ? c switch { '\n' => "\\n", '\t' => "\\t", _ => $"\\u{(int)c:X4}" } : c.ToString()));
    }
}
