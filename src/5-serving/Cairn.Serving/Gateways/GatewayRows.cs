using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Limits;
using Cairn.State;

namespace Cairn.Serving.Gateways;

/// <summary>A gateway that runs alone, as its row has it.</summary>
internal sealed record GatewayRow
{
    public Guid Id { get; init; }

    public string Name { get; init; } = "";

    public KeyId KeyId { get; init; }

    public DateTimeOffset JoinedAt { get; init; }

    public DateTimeOffset SeenAt { get; init; }

    /// <summary>The last usage that was taken.</summary>
    public long LastUsage { get; init; }

    /// <summary>It said goodbye, or was forgotten.</summary>
    public bool Departed { get; init; }
}

/// <summary>What was lent to a gateway of a purse in one period.</summary>
internal sealed record SliceRow
{
    public Guid GatewayId { get; init; }

    public PurseId PurseId { get; init; }

    public BudgetPeriod Period { get; init; }

    public DateTimeOffset Began { get; init; }

    public Money Lent { get; init; }

    public Money Returned { get; init; }

    public Money Spent { get; init; }

    /// <summary>Lent, and as far as is known neither spent nor given back.</summary>
    public Money Outstanding => Money.Max(Money.Zero, Lent - Returned - Spent);

    public SliceView View => new(PurseId, Period, Began, Lent, Returned, Spent);
}

/// <summary>Gateways that run alone and what they hold, as rows.</summary>
internal static class GatewayRows
{
    private const string Columns = "id, name, key_id, joined_at, seen_at, last_usage, departed";

    public static IReadOnlyList<GatewayRow> All(ReadSession session) => session.Query<GatewayRow>($"SELECT {Columns} FROM gateways ORDER BY joined_at");

    /// <summary>Slices of periods that are not over.</summary>
    public static IReadOnlyList<SliceRow> Slices(ReadSession session, DateTimeOffset now) =>
        [.. session.Query<SliceRow>("SELECT gateway_id, purse_id, period, began, lent, returned, spent FROM gateway_slices")
            .Where(slice => slice.Began == BudgetPeriods.Began(slice.Period, now))];

    public static GatewayRow Seen(WriteSession session, Guid id, string name, KeyId key, bool departed)
    {
        session.Execute(
            """
            INSERT INTO gateways (id, name, key_id, joined_at, seen_at, last_usage, departed) VALUES (@id, @name, @key, @now, @now, 0, @departed)
            ON CONFLICT (id) DO UPDATE SET name = @name, key_id = @key, seen_at = @now, departed = @departed
            """,
            new { id, name, key, now = session.Now, departed });
        return session.QuerySingleOrDefault<GatewayRow>($"SELECT {Columns} FROM gateways WHERE id = @id", new { id })!;
    }

    /// <returns>False where it was taken before.</returns>
    public static bool TakeUsage(WriteSession session, Guid id, long sequence) =>
        session.Execute("UPDATE gateways SET last_usage = @sequence WHERE id = @id AND last_usage < @sequence", new { id, sequence }) == 1;

    /// <summary>Counts what was spent of a purse against what the gateway holds of that time's periods.</summary>
    public static void SpendSlices(WriteSession session, Guid gateway, PurseId purse, Money cost, DateTimeOffset at)
    {
        foreach (var period in BudgetPeriods.All)
        {
            session.Execute("UPDATE gateway_slices SET spent = spent + @cost WHERE gateway_id = @gateway AND purse_id = @purse AND period = @period AND began = @began",
                new { cost, gateway, purse, period, began = BudgetPeriods.Began(period, at) });
        }
    }

    public static void Write(WriteSession session, SliceRow slice) => session.Execute(
        """
        INSERT INTO gateway_slices (gateway_id, purse_id, period, began, lent, returned, spent)
        VALUES (@GatewayId, @PurseId, @Period, @Began, @Lent, @Returned, @Spent)
        ON CONFLICT (gateway_id, purse_id, period, began) DO UPDATE SET lent = @Lent, returned = @Returned
        """,
        slice);

    /// <summary>Nothing more comes from it: what it held and is not known to have spent is free again.</summary>
    public static bool Forget(WriteSession session, Guid id)
    {
        session.Execute("UPDATE gateway_slices SET returned = lent - spent WHERE gateway_id = @id AND lent - returned > spent", new { id });
        return session.Execute("UPDATE gateways SET departed = TRUE WHERE id = @id", new { id }) == 1;
    }

    /// <summary>Slices of periods that ended long ago.</summary>
    public static void Sweep(WriteSession session, DateTimeOffset now) =>
        session.Execute("DELETE FROM gateway_slices WHERE began < @old AND began > @epoch", new { old = now.AddDays(-62), epoch = DateTimeOffset.UnixEpoch });
}
