namespace Cairn.Contracts.Workloads.Reading;

internal static class MoneyFields
{
    public static readonly FieldTable<MoneySpec> Table = new FieldTable<MoneySpec>("money", "money.") { Elsewhere = AllFields.PlaceOf }
        .Field("max_price", (m, v) => m with { MaxPricePerHour = v.Hourly() })
        .Field("budget", (m, v) => m with { Budget = v.Money() })
        .Field("deadline", (m, v) => m with { DeadlineSeconds = v.SomeSeconds() })
        .Field("expected_duration", (m, v) => m with { ExpectedDurationSeconds = v.SomeSeconds() })
        .Field("max_duration", (m, v) => m with { MaxDurationSeconds = v.SomeSeconds() });
}
