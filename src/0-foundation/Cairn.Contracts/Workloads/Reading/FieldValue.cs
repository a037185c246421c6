using System.Globalization;
using Cairn.Contracts.Api;
using Cairn.Contracts.Units;
using Cairn.Contracts.Workloads.Yaml;

namespace Cairn.Contracts.Workloads.Reading;

/// <summary>
/// One value of the file, read as what its field is. Every reader reports what was expected where the value is not that, and then
/// returns something harmless: a file with errors has no result.
/// </summary>
internal readonly record struct FieldValue(ReadContext Reader, string Name, YamlNode Node, YamlNode At)
{
    /// <summary>What any list of words may hold; alternatives and places, each of which costs planning time, have less.</summary>
    private const int MaxItems = 1000;

    /// <summary>The most alternatives, kinds of accelerators or places.</summary>
    public const int MaxChoices = 64;

    private const int MaxWordLength = 1024;

    public YamlMapping? Mapping => Node as YamlMapping;

    public string? Scalar => (Node as YamlScalar)?.Text;

    public bool IsNull => Node is YamlScalar { IsNull: true };

    public FieldValue Of(YamlNode node) => this with { Node = node, At = node };

    public FieldValue Of(string name, YamlEntry entry) => new(Reader, name, entry.Value, entry.Key);

    public void Error(string code, string message) => Reader.Findings.Error(Node, code, $"{Name}: {message}");

    public void Warn(string code, string message) => Reader.Findings.Warn(Node, code, $"{Name}: {message}");

    public void NotActedOn(string message) => Reader.Findings.Warn(At, DiagnosticCodes.NotActedOn, $"{Name}: {message}");

    /// <summary>Reports that the value is not what was expected.</summary>
    public void Expected(string what)
    {
        var code = Node is YamlScalar { IsNull: false } ? DiagnosticCodes.InvalidValue : DiagnosticCodes.WrongType;
        Error(code, $"expected {what}, found {Node.Described}");
    }

    /// <summary>Text of any length and lines; only NUL cannot be passed to a program.</summary>
    public string Text()
    {
        if (Scalar is not { } text || IsNull)
            Expected("text");
        else if (text.Contains('\0'))
            Error(DiagnosticCodes.InvalidValue, "text may not contain NUL");
        else
            return text;
        return "";
    }

    /// <summary>Text on one line without control characters.</summary>
    public string Word(string what = "a word")
    {
        if (Scalar is not { } text || IsNull || text.Length is 0 || text.Length > MaxWordLength || string.IsNullOrWhiteSpace(text))
            Expected(what);
        else if (text.Any(char.IsControl))
            Error(DiagnosticCodes.InvalidValue, $"expected {what} without control characters, found '{Excerpt.Of(text)}'");
        else
            return text;
        return "";
    }

    /// <summary>A shell script: text, or a list of commands that become its lines.</summary>
    public string? Script()
    {
        if (Node is not YamlSequence list)
            return Node is YamlScalar ? Checked(Text()) : Fail("a script, or a list of commands");
        var value = this;
        return Checked(string.Concat(list.Items.Select(item => value.Of(item).Text().TrimEnd('\n') + "\n")));
    }

    public bool Bool()
    {
        switch (Scalar?.ToLowerInvariant())
        {
            case "true" or "yes" or "on":
                return true;
            case "false" or "no" or "off":
                return false;
            default:
                Expected("true or false");
                return false;
        }
    }

    public int Int(int min, int max)
    {
        if (int.TryParse(Scalar, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= min
            && number <= max)
            return number;
        Expected(max == int.MaxValue ? $"a whole number from {min}" : $"a whole number from {min} to {max:N0}");
        return min;
    }

    public double Number(double min, double max, string? what = null)
    {
        if (Numbers.TryParse(Scalar, out var number) && number >= min && number <= max)
            return number;
        Expected(what ?? $"a number from {min} to {max:N0}");
        return min;
    }

    public long Size()
    {
        if (Scalar is { } text && ByteSize.TryParse(text, out var bytes))
            return bytes;
        Expected("a size such as 64GB, 24GiB, or a number of GB");
        return 0;
    }

    public long Seconds()
    {
        if (Scalar is { } text && Duration.TryParseSeconds(text, out var seconds))
            return seconds;
        Expected("a duration such as 90s, 30m, 6h, 1d12h, at most ten years");
        return 0;
    }

    /// <summary>A duration that is at least one second.</summary>
    public long SomeSeconds()
    {
        var seconds = Seconds();
        if (seconds == 0 && Scalar is { } text && Duration.TryParseSeconds(text, out _))
            Expected("a duration of at least 1s");
        return Math.Max(1, seconds);
    }

    public Money Money()
    {
        if (Scalar is { } text && MoneyText.TryParse(text, out var amount) && amount > Units.Money.Zero)
            return amount;
        Expected("an amount in dollars above 0, such as $100, 100 USD or 4.50");
        return Units.Money.Zero;
    }

    public HourlyPrice Hourly()
    {
        if (Scalar is { } text && MoneyText.TryParseHourly(text, out var price))
            return price;
        Expected("a price in dollars per hour, such as 4.0, $2.50 or $2.50/h");
        return HourlyPrice.Free;
    }

    /// <summary>A word of an enumeration, in snake_case; hyphens and case do not matter.</summary>
    public TEnum OneOf<TEnum>() where TEnum : struct, Enum
    {
        if (Scalar is { } text && EnumWords.Find<TEnum>(text.ToLowerInvariant().Replace('-', '_')) is { } found)
            return found;
        var near = Scalar is { } word ? Reader.Near(word, EnumWords.All<TEnum>()) : "";
        Error(
            Node is YamlScalar { IsNull: false } ? DiagnosticCodes.InvalidValue : DiagnosticCodes.WrongType,
            $"expected one of {string.Join(", ", EnumWords.All<TEnum>())}, found {Node.Described}{near}");
        return default;
    }

    /// <summary>The items of a list; a single value stands for a list of one, null for none.</summary>
    public IReadOnlyList<FieldValue> Items(int max = MaxItems)
    {
        if (IsNull)
            return [];
        if (Node is not YamlSequence list)
            return [this];
        var value = this;
        if (list.Items.Count > max)
            Error(DiagnosticCodes.Limit, $"{list.Items.Count:N0} entries are more than {max:N0}");
        return [.. list.Items.Take(max).Select(item => value.Of(item))];
    }

    /// <summary>Words of a list, each once.</summary>
    public IReadOnlyList<string> Words(string what, Func<FieldValue, string> read)
    {
        if (Node is YamlMapping)
        {
            Expected($"a list of {what}");
            return [];
        }

        return [.. Items().Select(read).Distinct(StringComparer.Ordinal)];
    }

    private string? Checked(string script)
    {
        if (script.Contains("${{", StringComparison.Ordinal))
            Warn(DiagnosticCodes.NotActedOn, "${{ … }} is not filled in; use shell variables: every name in env is one");
        return string.IsNullOrWhiteSpace(script) ? null : script;
    }

    private string? Fail(string what)
    {
        Expected(what);
        return null;
    }
}
