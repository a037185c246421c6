using System.Globalization;

namespace Cairn.Contracts.Units;

/// <summary>
/// Amounts of money as people write them: <c>4</c>, <c>$100</c>, <c>100 USD</c>, <c>$1,250.50</c>. Every amount is in US dollars.
/// </summary>
public static class MoneyText
{
    /// <summary>The largest amount that is read, in dollars.</summary>
    public const decimal MaxUsd = 1_000_000_000_000;

    /// <summary>Reads an amount from 0 to <see cref="MaxUsd"/> with at most six decimals; false for anything else.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Money amount)
    {
        amount = Money.Zero;
        text = text.Trim();
        if (text.StartsWith("$"))
            text = text[1..].TrimStart();
        else if (text.EndsWith("USD", StringComparison.OrdinalIgnoreCase))
            text = text[..^3].TrimEnd();
        if (text.Length is 0 or > 32 || !GroupsAreThousands(text))
            return false;
        const NumberStyles style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowThousands;
        if (!decimal.TryParse(text, style, CultureInfo.InvariantCulture, out var usd) || usd > MaxUsd || decimal.Round(usd, 6) != usd)
            return false;
        amount = Money.FromUsd(usd);
        return true;
    }

    /// <summary>Reads a price per hour: an amount, or an amount with <c>/h</c>, <c>/hr</c> or <c>/hour</c>.</summary>
    public static bool TryParseHourly(ReadOnlySpan<char> text, out HourlyPrice price)
    {
        var slash = text.IndexOf('/');
        if (slash >= 0)
        {
            var unit = text[(slash + 1)..].Trim();
            if (unit is not ("h" or "hr" or "hour"))
            {
                price = HourlyPrice.Free;
                return false;
            }

            text = text[..slash];
        }

        var read = TryParse(text, out var amount);
        price = new HourlyPrice(amount.Micros);
        return read;
    }

    /// <summary>Exact text that <see cref="TryParse"/> reads back: <c>$0.5</c>.</summary>
    public static string Format(Money amount) => "$" + amount.Usd.ToString("0.######", CultureInfo.InvariantCulture);

    /// <summary>A comma must stand for thousands, so that a decimal comma is not read as one.</summary>
    private static bool GroupsAreThousands(ReadOnlySpan<char> text)
    {
        var whole = text.IndexOf('.') is var dot and >= 0 ? text[..dot] : text;
        for (var i = 0; i < whole.Length; i++)
        {
            var fromEnd = whole.Length - 1 - i;
            if (whole[i] == ',' && (i is 0 or > 3 && !whole[..i].Contains(',') || fromEnd % 4 != 3))
                return false;
        }

        return true;
    }
}
