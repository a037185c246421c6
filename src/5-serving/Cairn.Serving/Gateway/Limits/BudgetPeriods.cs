using Cairn.Contracts.Units;

namespace Cairn.Serving.Gateway.Limits;

/// <summary>When a budget begins anew, at midnight UTC.</summary>
public enum BudgetPeriod
{
    /// <summary>Never: what is spent is spent.</summary>
    Total,
    Daily,

    /// <summary>On Mondays (ISO 8601).</summary>
    Weekly,
    Monthly,
}

/// <summary>The calendar of budgets; pure.</summary>
internal static class BudgetPeriods
{
    public static readonly IReadOnlyList<BudgetPeriod> All = Enum.GetValues<BudgetPeriod>();

    /// <summary>When the period around a time began; 1970 for <see cref="BudgetPeriod.Total"/>.</summary>
    public static DateTimeOffset Began(BudgetPeriod period, DateTimeOffset now)
    {
        var day = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        return period switch
        {
            BudgetPeriod.Daily => day,
            BudgetPeriod.Weekly => day.AddDays(-(((int)day.DayOfWeek + 6) % 7)),
            BudgetPeriod.Monthly => day.AddDays(1 - day.Day),
            _ => DateTimeOffset.UnixEpoch,
        };
    }

    /// <summary>When the next begins; null where none does.</summary>
    public static DateTimeOffset? Next(BudgetPeriod period, DateTimeOffset now) => period switch
    {
        BudgetPeriod.Daily => Began(period, now).AddDays(1),
        BudgetPeriod.Weekly => Began(period, now).AddDays(7),
        BudgetPeriod.Monthly => Began(period, now).AddMonths(1),
        _ => null,
    };
}

/// <summary>What a key has spent in each period, as rows keep it. Times are the periods' beginnings.</summary>
internal sealed record KeySpending
{
    public DateTimeOffset Day { get; init; }

    public Money DaySpent { get; init; }

    public DateTimeOffset Week { get; init; }

    public Money WeekSpent { get; init; }

    public DateTimeOffset Month { get; init; }

    public Money MonthSpent { get; init; }

    public Money TotalSpent { get; init; }

    /// <summary>The same, with another sum for one kind of period.</summary>
    public KeySpending With(BudgetPeriod period, DateTimeOffset began, Money spent) => period switch
    {
        BudgetPeriod.Daily => this with { Day = began, DaySpent = spent },
        BudgetPeriod.Weekly => this with { Week = began, WeekSpent = spent },
        BudgetPeriod.Monthly => this with { Month = began, MonthSpent = spent },
        _ => this with { TotalSpent = spent },
    };

    public (DateTimeOffset Began, Money Spent) this[BudgetPeriod period] => period switch
    {
        BudgetPeriod.Daily => (Day, DaySpent),
        BudgetPeriod.Weekly => (Week, WeekSpent),
        BudgetPeriod.Monthly => (Month, MonthSpent),
        _ => (DateTimeOffset.UnixEpoch, TotalSpent),
    };
}

/// <summary>How much of its budget a key has used, at this gateway.</summary>
/// <param name="Spent">In the budget's period, by it and the keys under it.</param>
/// <param name="Reserved">Promised to requests under way.</param>
/// <param name="RenewsAt">When the period ends; null where it never does.</param>
public readonly record struct KeyUse(Money Spent, Money Reserved, DateTimeOffset? RenewsAt);
