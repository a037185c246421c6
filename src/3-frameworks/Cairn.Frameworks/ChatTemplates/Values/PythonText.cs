using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Text;

namespace Cairn.Frameworks.ChatTemplates.Values;

/// <summary>How Python writes values.</summary>
internal static class PythonText
{
    public static string TypeOf(object? value) => value switch
    {
        null => "None",
        bool => "a bool",
        long or BigInteger => "an int",
        double => "a float",
        string => "a str",
        TemplateList { IsTuple: true } => "a tuple",
        TemplateList => "a list",
        TemplateDict => "a dict",
        Undefined => "an undefined value",
        TemplateNamespace => "a namespace",
        TemplateFunction function => $"the function {function.Name}",
        _ => "an object",
    };

    /// <summary><c>str(value)</c>: what printing shows.</summary>
    public static string Str(object? value) => value switch
    {
        string text => text,
        Undefined => "",
        _ => Repr(value),
    };

    public static string Repr(object? value)
    {
        var output = new StringBuilder();
        Write(output, value);
        return output.ToString();
    }

    private static void Write(StringBuilder output, object? value)
    {
        RuntimeHelpers.EnsureSufficientExecutionStack();
        switch (value)
        {
            case null: output.Append("None"); break;
            case bool flag: output.Append(flag ? "True" : "False"); break;
            case long number: output.Append(CultureInfo.InvariantCulture, $"{number}"); break;
            case BigInteger number: output.Append(number.ToString(CultureInfo.InvariantCulture)); break;
            case double number: output.Append(Real(number)); break;
            case string text: Quote(output, text); break;
            case TemplateList list: WriteList(output, list); break;
            case TemplateDict dict: WriteDict(output, dict); break;
            case Undefined: output.Append("Undefined"); break;
            default: output.Append('<').Append(TypeOf(value)).Append('>'); break;
        }
        if (output.Length > Running.Budget.MostCharacters) throw new TemplateFault($"a value is longer than {Running.Budget.MostCharacters} characters as text");
    }

    private static void WriteList(StringBuilder output, TemplateList list)
    {
        output.Append(list.IsTuple ? '(' : '[');
        for (var i = 0; i < list.Items.Count; i++)
        {
            if (i > 0) output.Append(", ");
            Write(output, list.Items[i]);
        }
        if (list is { IsTuple: true, Items.Count: 1 }) output.Append(',');
        output.Append(list.IsTuple ? ')' : ']');
    }

    private static void WriteDict(StringBuilder output, TemplateDict dict)
    {
        output.Append('{');
        var first = true;
        foreach (var key in dict.KeyValues)
        {
            if (!first) output.Append(", ");
            first = false;
            Write(output, key);
            output.Append(": ");
            dict.TryFind(key, out var value);
            Write(output, value);
        }
        output.Append('}');
    }

    /// <summary>The shortest digits that read back as the number, in Python's choice between plain and scientific.</summary>
    public static string Real(double number)
    {
        if (double.IsNaN(number)) return "nan";
        if (double.IsInfinity(number)) return number > 0 ? "inf" : "-inf";
        var shortest = number.ToString("R", CultureInfo.InvariantCulture).TrimStart('-').Split('E');
        var (mantissa, point) = (shortest[0], shortest[0].IndexOf('.', StringComparison.Ordinal));
        var digits = mantissa.Replace(".", "", StringComparison.Ordinal);
        var leading = digits.Length - digits.TrimStart('0').Length;
        var exponent = (point < 0 ? mantissa.Length : point) - 1 - leading
            + (shortest.Length > 1 ? int.Parse(shortest[1], CultureInfo.InvariantCulture) : 0);
        digits = digits.Trim('0');
        if (digits.Length == 0) return double.IsNegative(number) ? "-0.0" : "0.0";
        var sign = number < 0 ? "-" : "";
        if (exponent is < -4 or >= 16)
        {
            var fraction = digits.Length > 1 ? "." + digits[1..] : "";
            return string.Create(CultureInfo.InvariantCulture,
                $"{sign}{digits[0]}{fraction}e{(exponent < 0 ? '-' : '+')}{Math.Abs(exponent):00}");
        }
        if (exponent < 0) return sign + "0." + new string('0', -exponent - 1) + digits;
        return digits.Length <= exponent + 1
            ? sign + digits.PadRight(exponent + 1, '0') + ".0"
            : sign + digits[..(exponent + 1)] + "." + digits[(exponent + 1)..];
    }

    private static void Quote(StringBuilder output, string text)
    {
        var quote = text.Contains('\'', StringComparison.Ordinal) && !text.Contains('"', StringComparison.Ordinal) ? '"' : '\'';
        output.Append(quote);
        foreach (var rune in text.EnumerateRunes())
        {
            switch (rune.Value)
            {
                case '\n': output.Append("\\n"); break;
                case '\r': output.Append("\\r"); break;
                case '\t': output.Append("\\t"); break;
                case '\\': output.Append("\\\\"); break;
                case var c when c == quote: output.Append('\\').Append(quote); break;
                case var c when Printable(c): output.Append(rune); break;
                case var c when c <= 0xFF: output.Append(CultureInfo.InvariantCulture, $"\\x{c:x2}"); break;
                case var c when c <= 0xFFFF: output.Append(CultureInfo.InvariantCulture, $"\\u{c:x4}"); break;
                case var c: output.Append(CultureInfo.InvariantCulture, $"\\U{c:x8}"); break;
            }
        }
        output.Append(quote);
    }

    private static bool Printable(int c) => c == ' ' || CharUnicodeInfo.GetUnicodeCategory(c) is not (UnicodeCategory.Control
        or UnicodeCategory.Format
        or UnicodeCategory.Surrogate or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned or UnicodeCategory.SpaceSeparator
        or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
