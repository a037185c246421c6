using System.Globalization;
using System.Numerics;
using System.Text.Json;
using Cairn.Frameworks.Constraining.Automata;
using Cairn.Frameworks.Constraining.Regexes;

namespace Cairn.Frameworks.Constraining.JsonSchemas;

internal sealed partial class SchemaCompiler
{
    /// <summary>Digits of a number's whole part, and of its fraction: enough for 64 bits, and an end to a model that writes on.</summary>
    private const int MaximumDigits = 20;

    private Fragment Number(Conjunction all, JsonTypes types)
    {
        var isInteger = !types.HasFlag(JsonTypes.Fraction);
        foreach (var (part, value) in all.All("multipleOf"))
        {
            if (value.ValueKind != JsonValueKind.Number || !value.TryGetDecimal(out var unit) || unit <= 0)
                throw part.Error($"multipleOf is {value.GetRawText()}; expected a number above 0.");
            if (unit == 1) isInteger = true;
            else if (!isInteger || 1 % unit != 0) throw part.Error($"multipleOf {value.GetRawText()} cannot be held; only 1 can.");
        }
        var (low, high) = (default(Bound?), default(Bound?));
        foreach (var part in all.Parts)
        {
            low = Bound.Stricter(low, Bound.Of(part, "minimum", "exclusiveMinimum"), true);
            high = Bound.Stricter(high, Bound.Of(part, "maximum", "exclusiveMaximum"), false);
        }
        if (low is null && high is null) return UnboundedNumber(isInteger);
        return new NumberWriter(_nfa, isInteger, MaximumDigits).Between(low, high);
    }

    private Fragment UnboundedNumber(bool isInteger) => _nfa.Calling(Shared(isInteger ? "any integer" : "any number", () =>
    {
        var whole = $"-?(0|[1-9][0-9]{{0,{MaximumDigits - 1}}})";
        return RegexWriter.Write(_nfa, isInteger ? whole : whole + $@"(\.[0-9]{{1,{MaximumDigits}}})?([eE][+-]?[0-9]{{1,2}})?");
    }));
}

/// <summary>An end of a range of numbers, exact.</summary>
/// <param name="Digits">The value is this over ten to the <paramref name="Scale"/>.</param>
/// <param name="IsExclusive">Whether the value itself lies outside.</param>
internal readonly record struct Bound(BigInteger Digits, int Scale, bool IsExclusive)
{
    private const int MaximumExponent = 60;

    public Bound Negated => this with { Digits = -Digits };

    public int CompareTo(Bound other) =>
        (Digits * BigInteger.Pow(10, other.Scale)).CompareTo(other.Digits * BigInteger.Pow(10, Scale));

    /// <summary>The whole part and the digits of the fraction, without its last zeros; for values of 0 and more.</summary>
    public (BigInteger Whole, string Fraction) Parts()
    {
        var whole = BigInteger.DivRem(Digits, BigInteger.Pow(10, Scale), out var rest);
        return (whole, Scale == 0 ? "" : rest.ToString(CultureInfo.InvariantCulture).PadLeft(Scale, '0').TrimEnd('0'));
    }

    public static Bound? Stricter(Bound? a, Bound? b, bool isLow)
    {
        if (a is null || b is null) return a ?? b;
        var order = a.Value.CompareTo(b.Value);
        if (order == 0) return a.Value.IsExclusive ? a : b;
        return order > 0 == isLow ? a : b;
    }

    /// <summary>From both keywords; an exclusive one may be a number, or true beside the other (draft 4).</summary>
    public static Bound? Of(Located part, string inclusive, string exclusive)
    {
        var isLow = inclusive == "minimum";
        var limit = part.Keyword(inclusive) is { } value ? Parse(part, inclusive, value, false) : default(Bound?);
        return part.Keyword(exclusive) switch
        {
            { ValueKind: JsonValueKind.True } => limit is { } bound ? bound with { IsExclusive = true } : null,
            { ValueKind: JsonValueKind.Number } number => Stricter(limit, Parse(part, exclusive, number, true), isLow),
            null or { ValueKind: JsonValueKind.False } => limit,
            { } other => throw part.Error($"{exclusive} is {other.GetRawText()}; expected a number."),
        };
    }

    private static Bound Parse(Located part, string keyword, JsonElement value, bool isExclusive)
    {
        var text = value.GetRawText();
        if (value.ValueKind != JsonValueKind.Number) throw part.Error($"{keyword} is {text}; expected a number.");
        var mantissa = text.Split('e', 'E');
        var exponent = mantissa.Length == 1 ? 0 : int.TryParse(mantissa[1], CultureInfo.InvariantCulture, out var e) ? e : int.MaxValue;
        var point = mantissa[0].IndexOf('.', StringComparison.Ordinal);
        var scale = (point < 0 ? 0 : mantissa[0].Length - point - 1) - (long)exponent;
        if (Math.Abs(scale) > MaximumExponent || text.Length > 2 * MaximumExponent)
            throw part.Error($"{keyword} is {text}; it cannot be held so large or so fine. Leave it out.");
        var digits = BigInteger.Parse(mantissa[0].Replace(".", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        return scale >= 0
            ? new Bound(digits, (int)scale, isExclusive)
            : new Bound(digits * BigInteger.Pow(10, (int)-scale), 0, isExclusive);
    }
}
