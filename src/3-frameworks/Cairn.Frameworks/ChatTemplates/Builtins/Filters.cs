using System.Globalization;
using System.Numerics;
using System.Text.RegularExpressions;
using Cairn.Frameworks.ChatTemplates.Running;
using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates.Builtins;

internal delegate object? Filter(Rendering rendering, object? value, Arguments arguments);

/// <summary>What may stand after a bar. Those that make lists are in the other part.</summary>
internal static partial class Filters
{
    private static readonly Dictionary<string, Filter> All = new(StringComparer.Ordinal)
    {
        ["trim"] = (_, value, with) =>
            PythonStrings.Strip(PythonText.Str(value), with.Get(0, "chars") is null ? null : with.Text(0, "chars"), true, true),
        ["tojson"] = (_, value, with) => PythonJson.Write(value, with),
        ["length"] = (_, value, _) => Sequences.Length(value),
        ["upper"] = (_, value, _) => PythonStrings.Upper(PythonText.Str(value)),
        ["lower"] = (_, value, _) => PythonStrings.Lower(PythonText.Str(value)),
        ["title"] = (_, value, _) => Title(PythonText.Str(value)),
        ["capitalize"] = (_, value, _) => PythonStrings.Capitalize(PythonText.Str(value)),
        ["string"] = (_, value, _) => PythonText.Str(value),
        ["safe"] = (_, value, _) => value,
        ["escape"] = (_, value, _) => Escape(PythonText.Str(value)),
        ["default"] = (_, value, with) =>
            value is Undefined || (with.Flag(1, "boolean", false) && !PythonOperators.Truth(value)) ? with.Get(0, "default_value", "")
                : value,
        ["replace"] = (_, value, with) =>
            PythonStrings.Replace(PythonText.Str(value), with.Text(0, "old"), with.Text(1, "new"), with.Get(2, "count") is null
                ? -1 : with.Whole(2, "count", -1)),
        ["indent"] = (_, value, with) => Indent(PythonText.Str(value), with),
        ["int"] = (_, value, with) => Int(value, with),
        ["float"] = (_, value, with) => Real(value) ?? with.Get(0, "default", 0.0),
        ["abs"] = (_, value, _) => value is double number ? Math.Abs(number)
            : PythonOperators.Small(BigInteger.Abs(PythonOperators.Whole(value))),
        ["round"] = (_, value, with) => Round(value, with),
        ["format"] = (_, value, with) => PercentFormat.Apply(PythonText.Str(value), with.Named.Count > 0
            ? Dict(with) : new TemplateList(with.Positional, tuple: true)),
        ["attr"] = (_, value, with) => Members.Get(value, with.Text(0, "name")),
        ["pprint"] = (_, value, _) => PythonText.Repr(value),
        ["wordcount"] = (_, value, _) => (long)WordCharacters().Count(PythonText.Str(value)),
        ["center"] = (_, value, with) => Center(PythonText.Str(value), with.Whole(0, "width", 80)),
        ["first"] = (_, value, _) => First(value, 0),
        ["last"] = (_, value, _) => First(value, -1),
        ["list"] = (_, value, _) => new TemplateList(Sequences.Iterate(value)),
        ["items"] = (_, value, _) => value switch
        {
            TemplateDict dict => Members.Items(dict),
            Undefined => new TemplateList([]),
            _ => throw new TemplateFault($"items needs a dict, not {PythonText.TypeOf(value)}"),
        },
        ["join"] = Join,
        ["map"] = Map,
        ["select"] = (rendering, value, with) => Select(rendering, value, with, byAttribute: false, wanted: true),
        ["reject"] = (rendering, value, with) => Select(rendering, value, with, byAttribute: false, wanted: false),
        ["selectattr"] = (rendering, value, with) => Select(rendering, value, with, byAttribute: true, wanted: true),
        ["rejectattr"] = (rendering, value, with) => Select(rendering, value, with, byAttribute: true, wanted: false),
        ["sort"] = Sort,
        ["unique"] = Unique,
        ["dictsort"] = DictSort,
        ["reverse"] = (_, value, _) => value is string text
            ? string.Concat(Enumerable.Reverse(PythonStrings.Characters(text))) : new TemplateList([.. Sequences.Iterate(value).Reverse()]),
        ["sum"] = Sum,
        ["min"] = (_, value, with) => Extreme(value, with, -1),
        ["max"] = (_, value, with) => Extreme(value, with, 1),
        ["batch"] = Batch,
        ["groupby"] = GroupBy,
    };

    private static readonly Dictionary<string, string> OtherNames = new(StringComparer.Ordinal) { ["count"] = "length", ["d"] = "default",
        ["e"] = "escape" };

    public static bool Exists(string name) => All.ContainsKey(name) || OtherNames.ContainsKey(name);

    public static object? Apply(Rendering rendering, string name, object? value, Arguments arguments) =>
        All.TryGetValue(OtherNames.GetValueOrDefault(name, name), out var filter)
            ? filter(rendering, value, arguments)
            : throw new TemplateFault($"there is no filter '{name}'");

    private static object? First(object? value, long at) => value is TemplateDict dict
        ? Sequences.TryAt(new TemplateList([.. dict.KeyValues]), at, out var key) ? key : new Undefined("the first or last of no keys")
        : Sequences.Length(value) > 0 && Sequences.TryAt(value, at, out var item) ? item : new Undefined("the first or last of no items");

    private static TemplateDict Dict(Arguments with)
    {
        var dict = new TemplateDict();
        foreach (var (name, value) in with.Named) dict.Put(name, value);
        return dict;
    }

    /// <summary>Jinja's own: words begin after white space, a hyphen or an opening bracket.</summary>
    private static string Title(string text) => string.Concat(WordBeginnings().Split(text).Where(part => part.Length > 0)
        .Select(part => PythonStrings.Upper(part[..1]) + PythonStrings.Lower(part[1..])));

    private static readonly (string Character, string Entity)[] Entities =
        [("&", "&amp;"), (">", "&gt;"), ("<", "&lt;"), ("'", "&#39;"), ("\"", "&#34;")];

    private static string Escape(string text)
    {
        foreach (var (character, entity) in Entities)
            text = text.Replace(character, entity, StringComparison.Ordinal);
        return text;
    }

    private static string Indent(string text, Arguments with)
    {
        var by = with.Get(0, "width") is string given ? given : new string(' ', Math.Clamp(with.Whole(0, "width", 4), 0, 1000));
        var blank = with.Flag(2, "blank", false);
        var lines = PythonStrings.SplitLines(text + "\n");
        if (((long)by.Length + 1) * lines.Count > Budget.MostCharacters) throw new TemplateFault($"a text is longer than {Budget.MostCharacters} characters");
        var indented = string.Join("\n", lines.Select((line, i) => i > 0 && (blank || line.Length > 0) ? by + line : line));
        return with.Flag(1, "first", false) ? by + indented : indented;
    }

    private static object? Int(object? value, Arguments with)
    {
        switch (value)
        {
            case bool or long or BigInteger: return PythonOperators.Small(PythonOperators.Whole(value));
            case double number when double.IsFinite(number): return PythonOperators.Small(new BigInteger(Math.Truncate(number)));
            case string { Length: < 1000 } text:
                var digits = PythonStrings.Strip(text, null, true, true).Replace("_", "", StringComparison.Ordinal);
                var radix = with.Whole(1, "base", 10);
                if (radix == 16 && long.TryParse(digits.Replace("0x", "", StringComparison.OrdinalIgnoreCase),
                    NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex)) return hex;
                if (radix == 10 && BigInteger.TryParse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture,
                    out var whole)) return PythonOperators.Small(whole);
                if (radix == 10 && Real(text) is { } real
                    && double.IsFinite(real)) return PythonOperators.Small(new BigInteger(Math.Truncate(real)));
                break;
        }
        return with.Get(0, "default", 0L);
    }

    private static double? Real(object? value)
    {
        if (PythonOperators.IsNumber(value)) return PythonOperators.Real(value);
        if (value is not string text) return null;
        return double.TryParse(PythonStrings.Strip(text, null, true, true).Replace("_", "", StringComparison.Ordinal),
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture,
                out var number) ? number : null;
    }

    private static object Round(object? value, Arguments with)
    {
        if (!PythonOperators.IsNumber(value)) throw new TemplateFault($"round needs a number, not {PythonText.TypeOf(value)}");
        var (number, digits) = (PythonOperators.Real(value), with.Whole(0, "precision", 0));
        var scale = Math.Pow(10, digits);
        return with.Text(1, "method", "common") switch
        {
            "common" => PythonOperators.IsWhole(value) && digits == 0 ? value! : Rounding.Round(number, digits),
            "ceil" => Math.Ceiling(number * scale) / scale,
            "floor" => Math.Floor(number * scale) / scale,
            _ => throw new TemplateFault("round needs common, ceil or floor as its method"),
        };
    }

    private static string Center(string text, int width)
    {
        var missing = Math.Min(width, 10_000) - PythonStrings.Length(text);
        if (missing <= 0) return text;
        var left = missing / 2 + (missing & width & 1);
        return new string(' ', left) + text + new string(' ', missing - left);
    }

    [GeneratedRegex(@"([-\s({\[<]+)", RegexOptions.CultureInvariant)]
    private static partial Regex WordBeginnings();

    [GeneratedRegex(@"\w+", RegexOptions.CultureInvariant)]
    private static partial Regex WordCharacters();
}
