using System.Text.Json;

namespace Cairn.Frameworks.ToolCalls;

/// <summary>The beginning of a call's object, up to its arguments.</summary>
/// <param name="Outcome">Whether it is one.</param>
/// <param name="Name">The function's.</param>
/// <param name="ArgumentsAt">Where the arguments' brace is in the text; -1 where the object ended, with them before the name or without.</param>
/// <param name="Arguments">The arguments where they are already whole.</param>
/// <param name="End">Where the object ended, where it has.</param>
internal readonly record struct CallHeader(CallHeader.Is Outcome, string Name, int ArgumentsAt, string Arguments, int End)
{
    public enum Is { Incomplete, No, Yes }

    private const int MaximumLength = 16 * 1024;

    private static readonly CallHeader Incomplete = new(Is.Incomplete, "", -1, "", 0);
    private static readonly CallHeader No = new(Is.No, "", -1, "", 0);

    /// <summary>Reads as much as decides; what comes after that makes no difference.</summary>
    /// <param name="text">From the object's brace on, as far as it is known.</param>
    public static CallHeader Read(string text)
    {
        var header = Members(text.Length > MaximumLength ? text[..MaximumLength] : text);
        return header.Outcome == Is.Incomplete && text.Length >= MaximumLength ? No : header;
    }

    private static CallHeader Members(string text)
    {
        string? name = null, arguments = null;
        for (var at = 1; ; at++)
        {
            if (!Blank(text, ref at)) return Incomplete;
            if (text[at] != '"') return No;
            if (Value(text, at) is not { } key) return Incomplete;
            at += key.Length;
            if (!Blank(text, ref at)) return Incomplete;
            if (text[at++] != ':') return No;
            if (!Blank(text, ref at)) return Incomplete;
            var isArguments = key is "\"arguments\"" or "\"parameters\"";
            if (isArguments && text[at] != '{') return No;
            if (isArguments && name is not null) return new CallHeader(Is.Yes, name, at, "", 0);
            if (Value(text, at) is not { } value) return Incomplete;
            if (value.Length == 0) return No;
            at += value.Length;
            if (isArguments) arguments = value;
            if (key == "\"name\"" && (name = Text(value)) is null) return No;
            if (!Blank(text, ref at)) return Incomplete;
            if (text[at] == '}') return name is null ? No : new CallHeader(Is.Yes, name, -1, arguments ?? "{}", at + 1);
            if (text[at] != ',') return No;
        }
    }

    /// <summary>Skips white space; false at the text's end.</summary>
    private static bool Blank(string text, ref int at)
    {
        while (at < text.Length && text[at] is ' ' or '\n' or '\r' or '\t') at++;
        return at < text.Length;
    }

    /// <summary>The value that begins here; null where its end is not known yet, empty where none begins.</summary>
    private static string? Value(string text, int at)
    {
        var span = new JsonSpan();
        if (text[at] is '{' or '[')
        {
            for (var i = at; i < text.Length; i++)
                if (span.Closes(text[i])) return text[at..(i + 1)];
            return null;
        }
        if (text[at] == '"')
        {
            for (var i = at; i < text.Length; i++)
            {
                span.Closes(text[i]);
                if (i > at && !span.IsInString) return text[at..(i + 1)];
            }
            return null;
        }
        var end = text.AsSpan(at).IndexOfAny(",} \n\r\t");
        return end < 0 ? null : text.Substring(at, end);
    }

    private static string? Text(string value)
    {
        if (value is not ['"', ..]) return null;
        try
        {
            return JsonSerializer.Deserialize<string>(value);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
