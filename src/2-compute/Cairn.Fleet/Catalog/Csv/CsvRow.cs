using System.Globalization;
using Cairn.Contracts.Api;
using Cairn.Contracts.Units;

namespace Cairn.Fleet.Catalog.Csv;

/// <summary>The row that a <see cref="CsvTable"/> stands on. An empty field is absent; a bad one is an error and reads as absent.</summary>
internal sealed class CsvRow(CsvTable table, int line)
{
    private const NumberStyles Decimals = NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign | NumberStyles.AllowExponent;

    public int Line { get; } = line;

    /// <summary>False as soon as one field was bad.</summary>
    public bool Sound { get; private set; } = true;

    public string Text(int column) => table.Field(column)?.Text.Trim() ?? "";

    /// <summary>Where a field starts, in characters from 1.</summary>
    public int ColumnOf(int column) => table.Field(column)?.Column ?? 1;

    public void Error(int column, string message)
    {
        Sound = false;
        var field = table.Field(column);
        table.Error(field?.Line ?? Line, field?.Column ?? 1, message);
    }

    public string Required(int column, string name, int maxLength = 256)
    {
        var text = Text(column);
        if (text.Length == 0)
            Error(column, $"{name} is empty; every row needs one");
        else if (text.Length > maxLength)
            Error(column, $"{name} has {text.Length} characters; at most {maxLength} are read");
        return text;
    }

    public decimal? Number(int column, string name, decimal min, decimal max)
    {
        var text = Text(column);
        if (text.Length == 0)
            return null;
        if (decimal.TryParse(text, Decimals, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max)
            return value;
        Error(column, string.Create(CultureInfo.InvariantCulture,
            $"{name} is '{CsvTable.Shown(text)}'; expected a number from {min} to {max}"));
        return null;
    }

    public int? Whole(int column, string name, int min, int max)
    {
        var value = Number(column, name, min, max);
        if (value is null || decimal.Truncate(value.Value) == value)
            return (int?)value;
        Error(column, $"{name} is '{CsvTable.Shown(Text(column))}'; expected a whole number");
        return null;
    }

    public HourlyPrice? Price(int column, string name) =>
        Number(column, name, 0, 1_000_000) is { } usd ? HourlyPrice.FromUsd(usd) : null;

    public Money? Usd(int column, string name) => Number(column, name, 0, 1_000_000) is { } usd ? Money.FromUsd(usd) : null;

    /// <summary>A size that the file gives in units of <paramref name="unitBytes"/>.</summary>
    public long? Bytes(int column, string name, long unitBytes, decimal maxUnits) =>
        Number(column, name, 0, maxUnits) is { } units ? (long)Math.Round(units * unitBytes, MidpointRounding.AwayFromZero) : null;

    public bool Flag(int column, string name)
    {
        switch (Text(column).ToLowerInvariant())
        {
            case "" or "false" or "no" or "0":
                return false;
            case "true" or "yes" or "1":
                return true;
            default:
                Error(column, $"{name} is '{CsvTable.Shown(Text(column))}'; expected true or false");
                return false;
        }
    }

    /// <summary>One of an enum's words, in snake_case; case does not matter.</summary>
    public T? Word<T>(int column, string name) where T : struct, Enum
    {
        var text = Text(column);
        if (text.Length == 0)
            return null;
        if (EnumWords.Find<T>(text.ToLowerInvariant()) is { } value)
            return value;
        Error(column, $"{name} is '{CsvTable.Shown(text)}'; expected one of {string.Join(", ", EnumWords.All<T>())}");
        return null;
    }
}
