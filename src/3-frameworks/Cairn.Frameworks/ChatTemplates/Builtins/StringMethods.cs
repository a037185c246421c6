using System.Globalization;
using Cairn.Frameworks.ChatTemplates.Values;
using static System.Globalization.UnicodeCategory;

namespace Cairn.Frameworks.ChatTemplates.Builtins;

/// <summary>The methods of Python's <c>str</c> that make sense in a template.</summary>
internal static class StringMethods
{
    private static readonly Dictionary<string, Func<string, Arguments, object?>> Methods = new(StringComparer.Ordinal)
    {
        ["strip"] = (text, with) => PythonStrings.Strip(text, Characters(with), true, true),
        ["lstrip"] = (text, with) => PythonStrings.Strip(text, Characters(with), true, false),
        ["rstrip"] = (text, with) => PythonStrings.Strip(text, Characters(with), false, true),
        ["split"] = (text, with) => new TemplateList(PythonStrings.Split(text, Separator(with), with.Whole(1, "maxsplit", -1), false)),
        ["rsplit"] = (text, with) => new TemplateList(PythonStrings.Split(text, Separator(with), with.Whole(1, "maxsplit", -1), true)),
        ["splitlines"] = (text, with) => new TemplateList([.. PythonStrings.SplitLines(text, with.Flag(0, "keepends", false))]),
        ["startswith"] = (text, with) => Any(with, part => text.StartsWith(part, StringComparison.Ordinal)),
        ["endswith"] = (text, with) => Any(with, part => text.EndsWith(part, StringComparison.Ordinal)),
        ["upper"] = (text, _) => PythonStrings.Upper(text),
        ["lower"] = (text, _) => PythonStrings.Lower(text),
        ["casefold"] = (text, _) => PythonStrings.Lower(text).Replace("ß", "ss", StringComparison.Ordinal).Replace('ς', 'σ'),
        ["title"] = (text, _) => PythonStrings.Title(text),
        ["capitalize"] = (text, _) => PythonStrings.Capitalize(text),
        ["replace"] = (text, with) => PythonStrings.Replace(text, with.Text(0, "old"), with.Text(1, "new"), with.Whole(2, "count", -1)),
        ["find"] = (text, with) => PythonStrings.Index(text, text.IndexOf(with.Text(0, "sub"), StringComparison.Ordinal)),
        ["rfind"] = (text, with) => PythonStrings.Index(text, text.LastIndexOf(with.Text(0, "sub"), StringComparison.Ordinal)),
        ["index"] = (text, with) => text.IndexOf(with.Text(0, "sub"), StringComparison.Ordinal) is var at and >= 0
            ? PythonStrings.Index(text, at) : throw new TemplateFault("the text is not in the text that index searches"),
        ["count"] = (text, with) => Count(text, with.Text(0, "sub")),
        ["join"] = (text, with) => PythonStrings.Join(text, Sequences.Iterate(with.Must(0, "iterable"))),
        ["format"] = BraceFormat.Apply,
        ["removeprefix"] = (text, with) => text.StartsWith(with.Text(0, "prefix"), StringComparison.Ordinal)
            ? text[with.Text(0, "prefix").Length..] : text,
        ["removesuffix"] = (text, with) => text.EndsWith(with.Text(0, "suffix"), StringComparison.Ordinal)
            ? text[..^with.Text(0, "suffix").Length] : text,
        ["partition"] = (text, with) => Partition(text, with.Text(0, "sep"), text.IndexOf(with.Text(0, "sep"), StringComparison.Ordinal),
            false),
        ["rpartition"] = (text, with) =>
            Partition(text, with.Text(0, "sep"), text.LastIndexOf(with.Text(0, "sep"), StringComparison.Ordinal), true),
        ["ljust"] = (text, with) => text + Fill(text, with),
        ["rjust"] = (text, with) => Fill(text, with) + text,
        ["zfill"] = (text, with) => text.StartsWith('-') || text.StartsWith('+')
            ? text[0] + Zeros(text, with) + text[1..] : Zeros(text, with) + text,
        ["isdigit"] = (text, _) => PythonStrings.All(text, category => category is DecimalDigitNumber),
        ["isdecimal"] = (text, _) => PythonStrings.All(text, category => category is DecimalDigitNumber),
        ["isnumeric"] = (text, _) => PythonStrings.All(text, category => category is DecimalDigitNumber or LetterNumber or OtherNumber),
        ["isalpha"] = (text, _) => PythonStrings.All(text, IsLetter),
        ["isalnum"] = (text, _) => PythonStrings.All(text, category =>
            IsLetter(category) || category is DecimalDigitNumber or LetterNumber or OtherNumber),
        ["isspace"] = (text, _) => text.Length > 0 && text.All(PythonStrings.IsSpace),
        ["isupper"] = (text, _) => IsCase(text, UppercaseLetter, LowercaseLetter),
        ["islower"] = (text, _) => IsCase(text, LowercaseLetter, UppercaseLetter),
    };

    public static TemplateFunction? Find(string text, string name) =>
        Methods.TryGetValue(name, out var method) ? new TemplateFunction(name, arguments => method(text, arguments)) : null;

    public static bool IsCase(string text, UnicodeCategory wanted, UnicodeCategory unwanted)
    {
        var runes = text.EnumerateRunes().Select(System.Text.Rune.GetUnicodeCategory).ToList();
        return runes.Contains(wanted) && !runes.Contains(unwanted) && !runes.Contains(TitlecaseLetter);
    }

    private static bool IsLetter(UnicodeCategory category) =>
        category is UppercaseLetter or LowercaseLetter or TitlecaseLetter or ModifierLetter or OtherLetter;

    private static string? Characters(Arguments with) => with.Get(0, "chars") is null ? null : with.Text(0, "chars");

    private static string? Separator(Arguments with) => with.Get(0, "sep") is null ? null : with.Text(0, "sep");

    private static object Any(Arguments with, Func<string, bool> holds) => with.Must(0, "prefix") switch
    {
        string one => holds(one),
        TemplateList { IsTuple: true } several => several.Items.Any(one =>
            holds(one as string ?? throw new TemplateFault($"{with.Called} needs texts"))),
        var other => throw new TemplateFault($"{with.Called} needs a text or a tuple of texts, not {PythonText.TypeOf(other)}"),
    };

    private static object Count(string text, string part)
    {
        if (part.Length == 0) return (long)PythonStrings.Length(text) + 1;
        var count = 0L;
        for (var at = 0; (at = text.IndexOf(part, at, StringComparison.Ordinal)) >= 0; at += part.Length) count++;
        return count;
    }

    private static TemplateList Partition(string text, string separator, int at, bool fromRight)
    {
        if (separator.Length == 0) throw new TemplateFault("partition needs a separator that is not empty");
        object?[] parts = at >= 0 ? [text[..at], separator, text[(at + separator.Length)..]] : fromRight ? ["", "", text] : [text, "", ""];
        return new TemplateList(parts, tuple: true);
    }

    private static string Fill(string text, Arguments with) => Padding(text, with, with.Text(1, "fillchar", " "));

    private static string Zeros(string text, Arguments with) => Padding(text, with, "0");

    private static string Padding(string text, Arguments with, string fill)
    {
        if (fill.Length != 1) throw new TemplateFault($"{with.Called} fills with one character");
        var missing = with.Whole(0, "width", 0) - PythonStrings.Length(text);
        if (missing > Running.Budget.MostCharacters) throw new TemplateFault($"a text is longer than {Running.Budget.MostCharacters} characters");
        return missing > 0 ? new string(fill[0], missing) : "";
    }
}
