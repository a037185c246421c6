using System.Buffers;
using System.Text;

namespace Cairn.Contracts.Workloads.Yaml;

/// <summary>
/// Turns bytes into text that is fit for the YAML scanner, or says where they are not: UTF-8 with or without its mark, printable as
/// YAML 1.2 §5.1 has it, at most <see cref="MaxBytes"/>.
/// </summary>
internal static class SourceText
{
    public const int MaxBytes = 1_000_000;

    /// <summary>C0 and C1 controls other than tab and line breaks, DEL, and the two non-characters that break UTF-16 readers.</summary>
    private static readonly SearchValues<char> s_unprintable = SearchValues.Create(
        [
            .. Enumerable.Range(0, 0xA0).Select(c => (char)c).Where(c => char.IsControl(c) && c is not ('\t' or '\n' or '\r' or '\u0085')),
            '\uFFFE', '\uFFFF',
        ]);

    /// <returns>The text, or null after an error.</returns>
    public static string? Decode(ReadOnlySpan<byte> bytes, Findings findings)
    {
        if (bytes.StartsWith("\uFEFF"u8))
            bytes = bytes[3..];
        if (bytes.Length > MaxBytes)
            return TooLarge(findings);
        if (bytes.StartsWith<byte>([0xFF, 0xFE]) || bytes.StartsWith<byte>([0xFE, 0xFF]) || bytes.StartsWith<byte>([0, 0, 0xFE, 0xFF]))
        {
            findings.Error(1, 1, DiagnosticCodes.Encoding, "the file is UTF-16 or UTF-32; save it as UTF-8");
            return null;
        }

        var bad = FirstInvalid(bytes);
        if (bad < 0)
            return Check(Encoding.UTF8.GetString(bytes), findings);
        var (line, column) = Position(Encoding.UTF8.GetString(bytes[..bad]));
        findings.Error(line, column, DiagnosticCodes.Encoding, $"byte 0x{bytes[bad]:X2} is not UTF-8; save the file as UTF-8");
        return null;
    }

    /// <returns>The same text, or null after an error.</returns>
    public static string? Check(string text, Findings findings)
    {
        // A char is at most three bytes, so only texts in between have to be counted.
        if (text.Length > MaxBytes || (text.Length > MaxBytes / 3 && Encoding.UTF8.GetByteCount(text) > MaxBytes))
            return TooLarge(findings);
        var bad = text.AsSpan().IndexOfAny(s_unprintable);
        if (bad < 0)
            bad = FirstLoneSurrogate(text);
        if (bad < 0)
            return text.StartsWith('\uFEFF') ? text[1..] : text;
        var (line, column) = Position(text.AsSpan(0, bad));
        var hint = text[bad] == '\0' ? "; is the file text, saved as UTF-8?" : "; remove it, or write it as an escape in double quotes";
        findings.Error(line, column, DiagnosticCodes.Encoding,
            $"the control character U+{(int)text[bad]:X4} may not stand in the file{hint}");
        return null;
    }

    private static string? TooLarge(Findings findings)
    {
        findings.Error(
            1, 1, DiagnosticCodes.Limit, $"the file is larger than {MaxBytes / 1_000_000} MB, the most that a workload file may have");
        return null;
    }

    private static int FirstInvalid(ReadOnlySpan<byte> bytes)
    {
        if (System.Text.Unicode.Utf8.IsValid(bytes))
            return -1;
        var at = 0;
        while (Rune.DecodeFromUtf8(bytes[at..], out _, out var consumed) == OperationStatus.Done)
            at += consumed;
        return at;
    }

    private static int FirstLoneSurrogate(string text)
    {
        var at = text.AsSpan().IndexOfAnyInRange('\uD800', '\uDFFF');
        for (; at >= 0 && at < text.Length; at++)
        {
            if (!char.IsSurrogate(text[at]))
                continue;
            if (at + 1 >= text.Length || !char.IsSurrogatePair(text[at], text[at + 1]))
                return at;
            at++;
        }

        return -1;
    }

    private static (int Line, int Column) Position(ReadOnlySpan<char> before) =>
        (before.Count('\n') + 1, before.Length - before.LastIndexOf('\n'));
}
