using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace Cairn.Frameworks.ChatTemplates.Values;

/// <summary>Python's operators on a template's values.</summary>
internal static class PythonOperators
{
    private const int MostBits = 100_000;
    public const int MostItems = 1_000_000;

    /// <summary>Texts in the order of their code points, which UTF-16 units do not keep.</summary>
    public static IComparer<string?> CodePoints { get; } = Comparer<string?>.Create(CompareTexts);

    public static bool Truth(object? value) => value switch
    {
        null or Undefined => false,
        bool flag => flag,
        long number => number != 0,
        BigInteger number => !number.IsZero,
        double number => number != 0,
        string text => text.Length > 0,
        TemplateList list => list.Items.Count > 0,
        TemplateDict dict => dict.Count > 0,
        _ => true,
    };

    public static bool IsNumber(object? value) => value is bool or long or BigInteger or double;

    public static bool IsWhole(object? value) => value is bool or long or BigInteger;

    public static BigInteger Whole(object? value) => value switch
    {
        bool flag => flag ? 1 : 0,
        long number => number,
        BigInteger number => number,
        _ => throw new TemplateFault($"expected a whole number, not {PythonText.TypeOf(value)}"),
    };

    public static double Real(object? value) => value is double number ? number : (double)Whole(value);

    public static object Small(BigInteger number)
    {
        if (number.GetBitLength() > MostBits) throw new TemplateFault($"a number needs more than {MostBits} bits");
        return number >= long.MinValue && number <= long.MaxValue ? (object)(long)number : number;
    }

    public static bool Same(object? left, object? right)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (left is TemplateList or TemplateDict && ReferenceEquals(left, right)) return true;
        if (IsNumber(left) && IsNumber(right)) return left is double || right is double ? Real(left) == Real(right)
            : Whole(left) == Whole(right);
        return (left, right) switch
        {
            (null, null) or (Undefined, Undefined) => true,
            (string one, string other) => string.Equals(one, other, StringComparison.Ordinal),
            (TemplateList one, TemplateList other) =>
                one.IsTuple == other.IsTuple && one.Items.Count == other.Items.Count
                    && one.Items.Zip(other.Items).All(pair => Same(pair.First, pair.Second)),
            (TemplateDict one, TemplateDict other) =>
                one.Count == other.Count && one.All(entry => other.TryGetValue(entry.Key, out var value) && Same(entry.Value, value)),
            _ => ReferenceEquals(left, right),
        };
    }

    /// <summary>Negative, zero or positive.</summary>
    public static int Order(object? left, object? right)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        if (IsNumber(left) && IsNumber(right))
            return left is double || right is double ? Real(left).CompareTo(Real(right)) : Whole(left).CompareTo(Whole(right));
        switch (left, right)
        {
            case (string one, string other): return CompareTexts(one, other);
            case (TemplateList one, TemplateList other) when one.IsTuple == other.IsTuple:
                for (var i = 0; i < one.Items.Count && i < other.Items.Count; i++)
                {
                    if (!Same(one.Items[i], other.Items[i])) return Order(one.Items[i], other.Items[i]);
                }
                return one.Items.Count.CompareTo(other.Items.Count);
            case (Undefined missing, _): throw missing.Fault;
            case (_, Undefined missing): throw missing.Fault;
            default: throw new TemplateFault($"{PythonText.TypeOf(left)} and {PythonText.TypeOf(right)} have no order");
        }
    }

    public static bool Contains(object? container, object? item) => container switch
    {
        string text when item is string part => text.Contains(part, StringComparison.Ordinal),
        string => throw new TemplateFault($"'in' a text needs a text, not {PythonText.TypeOf(item)}"),
        TemplateList list => list.Items.Any(one => Same(one, item)),
        TemplateDict dict => dict.TryFind(item, out _),
        Undefined => false,
        _ => throw new TemplateFault($"'in' needs a text, a list or a dict, not {PythonText.TypeOf(container)}"),
    };

    public static object? Binary(string operation, object? left, object? right)
    {
        if (left is Undefined missing || right is Undefined && (missing = (Undefined)right) is not null) throw missing.Fault;
        if (IsNumber(left) && IsNumber(right)) return Arithmetic(operation, left, right);
        return (operation, left, right) switch
        {
            ("+", string one, string other) => one + other,
            ("+", TemplateList one, TemplateList other) when one.IsTuple == other.IsTuple => Join(one, other),
            ("*", string text, _) when IsWhole(right) => Repeat(text, Whole(right)),
            ("*", _, string text) when IsWhole(left) => Repeat(text, Whole(left)),
            ("*", TemplateList list, _) when IsWhole(right) => Repeat(list, Whole(right)),
            ("*", _, TemplateList list) when IsWhole(left) => Repeat(list, Whole(left)),
            ("%", string format, _) => Builtins.PercentFormat.Apply(format, right),
            _ => throw new TemplateFault($"'{operation}' does not go with {PythonText.TypeOf(left)} and {PythonText.TypeOf(right)}"),
        };
    }

    public static object Negate(object? value) => value switch
    {
        double number => -number,
        Undefined missing => throw missing.Fault,
        _ when IsWhole(value) => Small(-Whole(value)),
        _ => throw new TemplateFault($"'-' does not go with {PythonText.TypeOf(value)}"),
    };

    private static object Arithmetic(string operation, object? left, object? right)
    {
        if (operation is "/" or "//" or "%" && Real(right) == 0) throw new TemplateFault("division by zero");
        if (operation == "/") return Real(left) / Real(right);
        if (left is double || right is double || (operation == "**" && Whole(right).Sign < 0))
        {
            var (one, other) = (Real(left), Real(right));
            return operation switch
            {
                "+" => one + other,
                "-" => one - other,
                "*" => one * other,
                "//" => Math.Floor(one / other),
                "%" => one - other * Math.Floor(one / other),
                _ => Math.Pow(one, other),
            };
        }
        var (a, b) = (Whole(left), Whole(right));
        switch (operation)
        {
            case "+": return Small(a + b);
            case "-": return Small(a - b);
            case "*": return Small(a * b);
            case "**": return a.GetBitLength() * (double)b > MostBits
                ? throw new TemplateFault($"a number needs more than {MostBits} bits") : Small(BigInteger.Pow(a, (int)b));
        }
        var quotient = BigInteger.DivRem(a, b, out var remainder);
        if (!remainder.IsZero && remainder.Sign != b.Sign)
        {
            quotient--;
            remainder += b;
        }
        return Small(operation == "//" ? quotient : remainder);
    }

    private static string Repeat(string text, BigInteger times)
    {
        if (times.Sign <= 0 || text.Length == 0) return "";
        if (times * text.Length > Running.Budget.MostCharacters) throw new TemplateFault($"a text is longer than {Running.Budget.MostCharacters} characters");
        return new StringBuilder().Insert(0, text, (int)times).ToString();
    }

    private static TemplateList Repeat(TemplateList list, BigInteger times)
    {
        if (times.Sign <= 0) return new TemplateList([], list.IsTuple);
        if (times * list.Items.Count > MostItems) throw new TemplateFault($"a list is longer than {MostItems} items");
        return new TemplateList([.. Enumerable.Repeat(list.Items, (int)times).SelectMany(items => items)], list.IsTuple);
    }

    private static TemplateList Join(TemplateList one, TemplateList other)
    {
        if (one.Items.Count + other.Items.Count > MostItems) throw new TemplateFault($"a list is longer than {MostItems} items");
        return new TemplateList([.. one.Items, .. other.Items], one.IsTuple);
    }

    private static int CompareTexts(string? one, string? other)
    {
        var (left, right) = (one ?? "", other ?? "");
        var at = left.AsSpan().CommonPrefixLength(right);
        if (at == left.Length || at == right.Length) return left.Length.CompareTo(right.Length);
        var (a, b) = (left[at], right[at]);
        // A surrogate stands for a character beyond every other UTF-16 unit.
        return char.IsSurrogate(a) == char.IsSurrogate(b) ? a.CompareTo(b) : char.IsSurrogate(a) ? 1 : -1;
    }
}
