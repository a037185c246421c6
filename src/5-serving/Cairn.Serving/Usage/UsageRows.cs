using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Limits;
using Cairn.State;

namespace Cairn.Serving.Usage;

/// <summary>Usage per hour, and what each key has spent, as rows.</summary>
internal static class UsageRows
{
    private const long MicrosPerHour = 3_600_000_000;

    public static long HourOf(DateTimeOffset time) => Micros.Of(time) / MicrosPerHour;

    public static DateTimeOffset TimeOf(long hour) => Micros.ToTime(hour * MicrosPerHour);

    /// <returns>False where the batch was written before.</returns>
    public static bool Begin(WriteSession session, Guid batch, DateTimeOffset at)
    {
        if (session.Execute("INSERT INTO usage_batches (id, at) VALUES (@batch, @at) ON CONFLICT (id) DO NOTHING", new { batch, at }) == 0)
            return false;
        // A batch is sent again within seconds or never.
        session.Execute("DELETE FROM usage_batches WHERE at < @old", new { old = at - TimeSpan.FromDays(1) });
        return true;
    }

    public static void Add(WriteSession session, long hour, UsageSubject subject, UsageSum sum) => session.Execute(
        """
        INSERT INTO inference_usage (project_id, key_id, model, endpoint_id, provider, hour, requests, input_tokens, cached_tokens, output_tokens, cost)
        VALUES (@Project, @Key, @Model, @endpoint, @provider, @hour, @Requests, @InputTokens, @CachedTokens, @OutputTokens, @Cost)
        ON CONFLICT (project_id, hour, key_id, model, endpoint_id, provider) DO UPDATE SET requests = inference_usage.requests + @Requests,
            input_tokens = inference_usage.input_tokens + @InputTokens, cached_tokens = inference_usage.cached_tokens + @CachedTokens,
            output_tokens = inference_usage.output_tokens + @OutputTokens, cost = inference_usage.cost + @Cost
        """,
        new
        {
            subject.Project, subject.Key, subject.Model, endpoint = subject.Endpoint?.ToString() ?? "", provider = subject.Provider ?? "", hour,
            sum.Requests, sum.InputTokens, sum.CachedTokens, sum.OutputTokens, sum.Cost,
        });

    /// <summary>A period that is over is replaced; a late sum of one that is over already counts in the total only.</summary>
    public static void Spend(WriteSession session, KeyId key, Money cost, DateTimeOffset at) => session.Execute(
        """
        INSERT INTO key_spending (key_id, day, day_spent, week, week_spent, month, month_spent, total_spent)
        VALUES (@key, @day, @cost, @week, @cost, @month, @cost, @cost)
        ON CONFLICT (key_id) DO UPDATE SET
            day_spent = CASE WHEN key_spending.day < @day THEN @cost WHEN key_spending.day = @day THEN key_spending.day_spent + @cost ELSE key_spending.day_spent END,
            week_spent = CASE WHEN key_spending.week < @week THEN @cost WHEN key_spending.week = @week THEN key_spending.week_spent + @cost
                ELSE key_spending.week_spent END,
            month_spent = CASE WHEN key_spending.month < @month THEN @cost WHEN key_spending.month = @month THEN key_spending.month_spent + @cost
                ELSE key_spending.month_spent END,
            total_spent = key_spending.total_spent + @cost,
            day = CASE WHEN key_spending.day < @day THEN @day ELSE key_spending.day END,
            week = CASE WHEN key_spending.week < @week THEN @week ELSE key_spending.week END,
            month = CASE WHEN key_spending.month < @month THEN @month ELSE key_spending.month END
        """,
        new
        {
            key, cost, day = BudgetPeriods.Began(BudgetPeriod.Daily, at), week = BudgetPeriods.Began(BudgetPeriod.Weekly, at),
            month = BudgetPeriods.Began(BudgetPeriod.Monthly, at),
        });

    public static Dictionary<KeyId, KeySpending> Spent(ReadSession session) => session.Query<SpendingRow>(
        "SELECT key_id, day, day_spent, week, week_spent, month, month_spent, total_spent FROM key_spending").ToDictionary(row => row.KeyId, row => new KeySpending
        {
            Day = row.Day, DaySpent = row.DaySpent, Week = row.Week, WeekSpent = row.WeekSpent, Month = row.Month, MonthSpent = row.MonthSpent,
            TotalSpent = row.TotalSpent,
        });

    private sealed record SpendingRow
    {
        public KeyId KeyId { get; init; }

        public DateTimeOffset Day { get; init; }

        public Money DaySpent { get; init; }

        public DateTimeOffset Week { get; init; }

        public Money WeekSpent { get; init; }

        public DateTimeOffset Month { get; init; }

        public Money MonthSpent { get; init; }

        public Money TotalSpent { get; init; }
    }
}
