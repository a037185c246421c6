using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Cairn.Contracts.Units;

/// <summary>An amount of money in whole micro-dollars (10⁻⁶ USD), signed. Arithmetic is checked: an overflow throws.</summary>
[JsonConverter(typeof(MoneyJsonConverter))]
public readonly record struct Money(long Micros) : IComparable<Money>
{
    public static readonly Money Zero;

    /// <summary>Converts dollars to micro-dollars, rounding half away from zero.</summary>
    public static Money FromUsd(decimal usd) => new(checked((long)Math.Round(usd * 1_000_000m, MidpointRounding.AwayFromZero)));

    /// <summary>The amount in dollars, exact.</summary>
    public decimal Usd => Micros / 1_000_000m;

    public static Money operator +(Money a, Money b) => new(checked(a.Micros + b.Micros));
    public static Money operator -(Money a, Money b) => new(checked(a.Micros - b.Micros));
    public static Money operator -(Money a) => new(checked(-a.Micros));
    public static Money operator *(Money a, long n) => new(checked(a.Micros * n));
    public static bool operator <(Money a, Money b) => a.Micros < b.Micros;
    public static bool operator >(Money a, Money b) => a.Micros > b.Micros;
    public static bool operator <=(Money a, Money b) => a.Micros <= b.Micros;
    public static bool operator >=(Money a, Money b) => a.Micros >= b.Micros;

    public static Money Min(Money a, Money b) => a < b ? a : b;
    public static Money Max(Money a, Money b) => a > b ? a : b;

    public int CompareTo(Money other) => Micros.CompareTo(other.Micros);

    /// <summary>
    /// Dollars with cents, or with all micro-dollar digits where cents would hide a non-zero amount: <c>$12.34</c>, <c>$0.000123</c>.
    /// </summary>
    public override string ToString()
    {
        var absolute = Math.Abs(Usd);
        var digits = absolute == 0 || absolute >= 0.1m ? "#,##0.00" : "0.00####";
        return (Micros < 0 ? "-$" : "$") + absolute.ToString(digits, CultureInfo.InvariantCulture);
    }
}

/// <summary>A price of time in whole micro-dollars per hour.</summary>
[JsonConverter(typeof(HourlyPriceJsonConverter))]
public readonly record struct HourlyPrice(long MicrosPerHour) : IComparable<HourlyPrice>
{
    public const long MicrosecondsPerHour = 3_600_000_000;

    public static readonly HourlyPrice Free;

    public static HourlyPrice FromUsd(decimal usdPerHour) => new(Money.FromUsd(usdPerHour).Micros);

    public decimal UsdPerHour => MicrosPerHour / 1_000_000m;

    /// <summary>
    /// What a stretch of time costs since its start: <c>floor(price × time)</c>. Charging the difference of two such floors makes a
    /// total independent of how often it is settled.
    /// </summary>
    /// <param name="microseconds">The billable time since the start, in microseconds; not negative.</param>
    public Money CostOf(long microseconds)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(microseconds);
        return new Money(checked((long)((Int128)MicrosPerHour * microseconds / MicrosecondsPerHour)));
    }

    public Money CostOf(TimeSpan time) => CostOf(time.Ticks / TimeSpan.TicksPerMicrosecond);

    public static HourlyPrice operator *(HourlyPrice price, long n) => new(checked(price.MicrosPerHour * n));
    public static HourlyPrice operator +(HourlyPrice a, HourlyPrice b) => new(checked(a.MicrosPerHour + b.MicrosPerHour));
    public static bool operator <(HourlyPrice a, HourlyPrice b) => a.MicrosPerHour < b.MicrosPerHour;
    public static bool operator >(HourlyPrice a, HourlyPrice b) => a.MicrosPerHour > b.MicrosPerHour;
    public static bool operator <=(HourlyPrice a, HourlyPrice b) => a.MicrosPerHour <= b.MicrosPerHour;
    public static bool operator >=(HourlyPrice a, HourlyPrice b) => a.MicrosPerHour >= b.MicrosPerHour;

    public int CompareTo(HourlyPrice other) => MicrosPerHour.CompareTo(other.MicrosPerHour);

    public override string ToString() => new Money(MicrosPerHour) + "/h";
}

/// <summary>Money travels as a JSON number of dollars with up to six decimals.</summary>
public sealed class MoneyJsonConverter : JsonConverter<Money>
{
    public override Money Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Money.FromUsd(reader.GetDecimal());

    public override void Write(Utf8JsonWriter writer, Money value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value.Usd);
}

/// <summary>A price travels as a JSON number of dollars per hour with up to six decimals.</summary>
public sealed class HourlyPriceJsonConverter : JsonConverter<HourlyPrice>
{
    public override HourlyPrice Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        HourlyPrice.FromUsd(reader.GetDecimal());

    public override void Write(Utf8JsonWriter writer, HourlyPrice value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value.UsdPerHour);
}
