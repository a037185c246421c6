using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Cairn.Frameworks.ChatTemplates.Values;

namespace Cairn.Frameworks.ChatTemplates.Builtins;

/// <summary>Python's <c>%</c> on texts: s, r, d, i, f, x, X, o and %%, with flags, width and precision.</summary>
internal static partial class PercentFormat
{
    private const int MostWidth = 1 << 16;

    public static string Apply(string format, object? values)
    {
        var given = values is TemplateList { IsTuple: true } several ? several.Items : [values];
        var (next, at, output) = (0, 0, new StringBuilder());
        foreach (Match match in Conversion().Matches(format))
        {
            output.Append(format, at, match.Index - at);
            at = match.Index + match.Length;
            if (match.Groups["kind"].Value == "%") output.Append('%');
            else output.Append(One(match, Value(match, values, given, ref next)));
        }
        output.Append(format, at, format.Length - at);
        if (values is not TemplateDict && next < given.Count) throw new TemplateFault("'%' has more values than its text takes");
        return output.ToString();
    }

    private static object? Value(Match match, object? values, IReadOnlyList<object?> given, ref int next)
    {
        if (match.Groups["name"] is { Success: true } name)
            return values is TemplateDict dict && dict.TryFind(name.Value, out var found)
                ? found : throw new TemplateFault($"'%' has no value for '{name.Value}'");
        return next < given.Count ? given[next++] : throw new TemplateFault("'%' has fewer values than its text takes");
    }

    private static string One(Match match, object? value)
    {
        var flags = match.Groups["flags"].Value;
        var width = Number(match.Groups["width"], 0);
        var precision = match.Groups["precision"].Success ? Number(match.Groups["precision"], 0) : -1;
        var kind = match.Groups["kind"].Value[0];
        var text = kind switch
        {
            's' => Cut(PythonText.Str(value), precision),
            'r' => Cut(PythonText.Repr(value), precision),
            'd' or 'i' or 'u' => (value is double real ? new System.Numerics.BigInteger(Math.Truncate(real))
                : PythonOperators.Whole(value)).ToString(CultureInfo.InvariantCulture),
            'x' => ((long)PythonOperators.Whole(value)).ToString("x", CultureInfo.InvariantCulture),
            'X' => ((long)PythonOperators.Whole(value)).ToString("X", CultureInfo.InvariantCulture),
            'o' => Convert.ToString((long)PythonOperators.Whole(value), 8),
            _ => Rounding.Fixed(PythonOperators.Real(value), precision < 0 ? 6 : precision),
        };
        var number = kind is not ('s' or 'r');
        if (number && flags.Contains('+', StringComparison.Ordinal) && !text.StartsWith('-')) text = "+" + text;
        if (flags.Contains('-', StringComparison.Ordinal)) return text.PadRight(width);
        if (!number || !flags.Contains('0', StringComparison.Ordinal)) return text.PadLeft(width);
        var sign = text[0] is '-' or '+' ? text[..1] : "";
        return sign + text[sign.Length..].PadLeft(width - sign.Length, '0');
    }

    private static int Number(Group group, int otherwise)
    {
        if (group.Length == 0) return otherwise;
        return int.TryParse(group.Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number <= MostWidth
            ? number : throw new TemplateFault($"'%' goes up to a width of {MostWidth}");
    }

    private static string Cut(string text, int most) => most >= 0 && most < text.Length ? text[..most] : text;

    [GeneratedRegex(@"%(\((?<name>[^)]*)\))?(?<flags>[-+0 #]*)(?<width>\d*)(\.(?<precision>\d*))?(?<kind>[srdiufFxXo%])",
        RegexOptions.CultureInvariant)]
    private static partial Regex Conversion();
}
