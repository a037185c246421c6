using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Usage;
using Cairn.State;

namespace Cairn.Serving.Tests.Usage;

public sealed class Usage_reaches_the_ledger
{
    [Fact]
    public async Task A_batch_is_written_with_its_charge_and_only_once()
    {
        await using var host = await UsageHost.StartAsync();
        var key = host.Key("app");
        host.Use(key, 7);
        host.Use(key, 5);
        await host.FlushAsync();
        await host.FlushAsync();
        Assert.Equal((2, 12), await host.WrittenAsync());
        Assert.Equal(12, await host.ChargedAsync());
    }

    [Fact]
    public async Task A_write_that_fails_loses_nothing_and_counts_nothing_twice()
    {
        await using var host = await UsageHost.StartAsync();
        var key = host.Key("app");
        host.Use(key, 7);
        host.Refuses = true;
        await Assert.ThrowsAsync<StoreException>(host.FlushAsync);
        Assert.Equal((0, 0), await host.WrittenAsync());
        host.Use(key, 5);
        await Assert.ThrowsAsync<StoreException>(host.FlushAsync);
        host.Refuses = false;
        await host.FlushAsync();
        Assert.Equal((2, 12), await host.WrittenAsync());
        Assert.Equal(12, await host.ChargedAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_summed_at_the_end_is_written_then_though_streams_used_up_the_hosts_patience(bool late)
    {
        await using var host = await UsageHost.StartAsync();
        host.Use(host.Key("app"), 3);
        await host.StopAsync(new CancellationToken(canceled: late));
        Assert.Equal(3, await host.ChargedAsync());
    }

    [Fact]
    public async Task A_server_that_was_killed_finds_what_keys_spent_and_holds_their_budgets()
    {
        await using var host = await UsageHost.StartAsync();
        var team = host.Key("team", new KeyLimits { Budget = new Money(100), Period = BudgetPeriod.Monthly });
        var app = host.Key("app", new KeyLimits { Budget = new Money(60), Period = BudgetPeriod.Daily }, team.Id);
        var other = host.Key("other", parent: team.Id);
        await host.DieAndStartAsync(team, app, other);
        host.Use(app, 40);
        host.Use(other, 30);
        await host.FlushAsync();
        host.Use(app, 15); // not written: lost with the process

        await host.DieAndStartAsync(team, app, other);

        Assert.Null(host.Reserve(app, 21));
        Assert.Null(host.Reserve(other, 31));
        host.Reserve(app, 20)!.Dispose();
        host.Reserve(other, 30)!.Dispose();
        Assert.Equal(new KeyUse(new Money(70), Money.Zero, new DateTimeOffset(2026, 4, 1, 0, 0, 0, TimeSpan.Zero)), host.State.UseOf(team.Id, host.Time.GetUtcNow()));

        // The day ends, the month goes on.
        host.Time.Advance(TimeSpan.FromDays(1));
        Assert.Null(host.Reserve(app, 31));
        host.Reserve(app, 30)!.Dispose();
    }

    [Fact]
    public async Task Spending_of_each_period_begins_anew_with_it()
    {
        await using var host = await UsageHost.StartAsync();
        var key = host.Key("app");
        foreach (var days in new[] { 0, 1, 7, 40 })
        {
            host.Time.Advance(TimeSpan.FromDays(days));
            host.Use(key, 10);
            await host.FlushAsync();
        }
        var spent = (await host.Store.ReadAsync(UsageRows.Spent, TestContext.Current.CancellationToken))[key.Id];
        var now = host.Time.GetUtcNow();
        Assert.Equal((10, 10, 10, 40), (spent.DaySpent.Micros, spent.WeekSpent.Micros, spent.MonthSpent.Micros, spent.TotalSpent.Micros));
        Assert.Equal(BudgetPeriods.Began(BudgetPeriod.Monthly, now), spent.Month);
    }

    [Fact]
    public async Task Use_by_many_at_once_while_it_is_written_adds_up()
    {
        await using var host = await UsageHost.StartAsync();
        var keys = Enumerable.Range(0, 4).Select(i => host.Key($"k{i}")).ToArray();
        var users = Enumerable.Range(0, 8).Select(i => Task.Run(() =>
        {
            for (var n = 0; n < 500; n++)
                host.Use(keys[(i + n) % 4], 3, $"m{n % 3}");
        })).ToArray();
        while (!users.All(u => u.IsCompleted))
            await host.FlushAsync();
        await Task.WhenAll(users);
        await host.FlushAsync();
        Assert.Equal((4000, 12_000), await host.WrittenAsync());
        Assert.Equal(12_000, await host.ChargedAsync());
    }

    [Theory]
    [InlineData("key", "app,other")]
    [InlineData("model", "large,tiny")]
    [InlineData("endpoint", "acme")]
    [InlineData("day", "2026-03-04,2026-03-05")]
    public async Task It_is_read_by_key_model_target_and_day(string by, string names)
    {
        await using var host = await UsageHost.StartAsync();
        var (app, other) = (host.Key("app"), host.Key("other"));
        await host.DieAndStartAsync(app, other);
        host.Use(app, 9, "large");
        host.Use(app, 1);
        await host.FlushAsync();
        host.Time.Advance(TimeSpan.FromDays(1));
        host.Use(other, 2);
        await host.FlushAsync();

        var query = new UsageQuery(host.Project, host.Time.GetUtcNow().AddDays(-2), Enum.Parse<UsageGrouping>(by, ignoreCase: true), null, null);
        var usage = await host.Reading.ReadAsync(query, TestContext.Current.CancellationToken);

        Assert.Equal(names, string.Join(',', usage.Rows.Select(r => r.Name)));
        Assert.Equal((new Money(12), 3, 300, 30, 150), (usage.Total, usage.Rows.Sum(r => r.Requests), usage.Rows.Sum(r => r.InputTokens), usage.Rows.Sum(r => r.CachedTokens),
            usage.Rows.Sum(r => r.OutputTokens)));
        var ofOne = await host.Reading.ReadAsync(query with { Keys = host.Reading.FindKeys(host.Project, "app"), Model = "tiny" }, TestContext.Current.CancellationToken);
        Assert.Equal(new Money(1), ofOne.Total);
    }
}
