using Cairn.Contracts.Units;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateways;
using CsCheck;

namespace Cairn.Serving.Tests.Alone;

public sealed class Budgets_are_shared
{
    /// <summary>
    /// A server and three gateways spend two keys' budgets, one key under the other, while processes die and words between them are lost. All that was used, wherever, but for
    /// what a killed gateway had not written down, is within the budget at every moment; in the end all of it was charged, and once.
    /// </summary>
    [Fact]
    public Task Never_over_the_budget_whoever_dies_and_whatever_is_lost() =>
        Gen.Select(Gen.Long[100, 3000], Gen.Select(Gen.Int[0, 9], Gen.Int[0, 2], Gen.Long[1, 300], Gen.Double[0, 1], Gen.Bool).Array[20, 90]).SampleAsync(async (budget, steps) =>
        {
            var team = SharedBudget.Key("team", budget);
            var app = SharedBudget.Key("app", budget / 2, team);
            await using var world = await SharedBudget.StartAsync(3, team, app);
            var (used, ofApp, lost) = (0L, 0L, 0L);
            foreach (var (what, who, most, share, first) in steps)
            {
                var (gateway, key, cost) = (world.Gateways[who], first ? app : team, (long)(most * share));
                var letIn = false;
                switch (what)
                {
                    case 0 or 1 or 2 or 3:
                        letIn = gateway.Use(key, most, cost);
                        if (!letIn)
                            await gateway.ReportAsync([new BudgetAsk(key.Id, new Money(most))]);
                        break;
                    case 4:
                        letIn = await world.UseAsync(key, most, cost);
                        break;
                    case 5:
                        await gateway.ReportAsync();
                        break;
                    case 6:
                        await gateway.ReportAsync(arrives: share < 0.5, answered: false);
                        break;
                    case 7:
                        lost += gateway.Kill();
                        break;
                    case 8:
                        await world.KillServerAsync();
                        break;
                    default:
                        await gateway.ReportAsync(leaving: true);
                        break;
                }
                used += letIn ? cost : 0;
                ofApp += letIn && first ? cost : 0;
                Assert.True(used - lost <= budget, $"{used} of {budget} are used, {lost} of it lost");
                Assert.True(ofApp - lost <= budget / 2, $"{ofApp} of {budget / 2} are used under the key below");
            }
            foreach (var gateway in world.Gateways)
            {
                do
                    await gateway.ReportAsync();
                while (!gateway.Book.IsEmpty);
            }
            Assert.Equal(used - lost, await world.ChargedAsync());
            Assert.Equal(used - lost, await world.SpentAsync(team));
            Assert.True(await world.SpentAsync(app) <= budget / 2);
        }, iter: 25, threads: 1);

    [Fact]
    public async Task A_report_that_comes_before_the_server_knows_its_keys_waits_for_them()
    {
        var parent = SharedBudget.Key("team", 1_000);
        var child = SharedBudget.Key("app", 1_000, parent);
        await using var world = await SharedBudget.StartAsync(1, parent, child);
        var gateway = world.Gateways[0];
        await gateway.ReportAsync([new BudgetAsk(parent.Id, new Money(100)), new BudgetAsk(child.Id, new Money(100))]);
        Assert.True(gateway.Use(child, 100, 100));

        await world.KillServerAsync(serves: false);
        var reporting = gateway.ReportAsync([new BudgetAsk(child.Id, new Money(600))]);
        Assert.False(reporting.IsCompleted);
        world.Serve();
        await reporting;
        Assert.Equal((100, 100), (await world.SpentAsync(child), await world.SpentAsync(parent)));

        await world.KillServerAsync(serves: false);
        var late = gateway.ReportAsync();
        world.Time.Advance(new GatewayOptions().StartPatience);
        await late;
        Assert.Equal(0, world.State.Snapshot.Version);
    }

    [Fact]
    public async Task What_one_holds_idle_is_given_back_when_another_lacks_it()
    {
        var key = SharedBudget.Key("app", 900);
        await using var world = await SharedBudget.StartAsync(2, key);
        var (one, two) = (world.Gateways[0], world.Gateways[1]);
        await one.ReportAsync();
        await two.ReportAsync();
        Assert.False(two.Use(key, 800, 800));
        world.Board.Sit(one.Id);

        await two.ReportAsync([new BudgetAsk(key.Id, new Money(800))]);
        await one.ReportAsync();
        await one.ReportAsync();
        await two.ReportAsync([new BudgetAsk(key.Id, new Money(800))]);

        Assert.True(two.Use(key, 800, 800));
        Assert.False(one.Use(key, 101, 101));
    }

    [Fact]
    public async Task A_gateway_that_leaves_gives_back_and_one_that_is_forgotten_frees_what_it_held()
    {
        var key = SharedBudget.Key("app", 1000);
        await using var world = await SharedBudget.StartAsync(2, key);
        await world.Gateways[0].ReportAsync();
        await world.Gateways[1].ReportAsync();
        Assert.Equal(3, world.Board.Parties);
        Assert.False(await world.UseAsync(key, 1000, 0));

        await world.Gateways[0].ReportAsync(leaving: true);
        Assert.Equal(2, world.Board.Parties);
        Assert.True(await world.Reports.ForgetAsync(world.Gateways[1].Id, TestContext.Current.CancellationToken));
        Assert.True(await world.UseAsync(key, 1000, 0));
        Assert.False(await world.Reports.ForgetAsync(Guid.Empty, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_period_that_ends_takes_what_was_lent_with_it()
    {
        var key = SharedBudget.Key("app", 1000);
        await using var world = await SharedBudget.StartAsync(1, key);
        var gateway = world.Gateways[0];
        await gateway.ReportAsync();
        Assert.True(gateway.Use(key, 500, 500));
        await gateway.ReportAsync(arrives: false);
        world.Time.Advance(TimeSpan.FromDays(28));

        // It has nothing of the new month until the server lends it, and the server has all of it.
        Assert.False(gateway.Use(key, 1, 1));
        Assert.True(await world.UseAsync(key, 1000, 0));
        await gateway.ReportAsync();
        Assert.True(gateway.Use(key, 500, 0));
        Assert.Equal(500, await world.ChargedAsync());
    }

    [Theory]
    [InlineData(1000, 0, 0, 2, 500)] // an even share
    [InlineData(500, 500, 0, 2, 0)] // it has it
    [InlineData(500, 500, 200, 2, 200)] // and lacks more
    [InlineData(100, 0, 700, 4, 100)] // no more than there is
    [InlineData(0, 0, 700, 2, 0)]
    [InlineData(-5, 0, 1, 2, 0)]
    public void A_slice_is_what_is_lacked_or_an_even_share(long room, long held, long wanted, int parties, long more) =>
        Assert.Equal(more, SliceDecision.More(new Money(room), new Money(held), new Money(wanted), parties).Micros);

    [Fact]
    public void Rates_are_divided_evenly_and_each_gets_one_at_least()
    {
        var limits = new Cairn.Serving.Gateway.Limits.KeyLimits { RequestsPerMinute = 60, TokensPerMinute = 100, ParallelRequests = 2, Budget = new Money(7) };
        Assert.Equal(limits, SliceDecision.RateShare(limits, 1));
        Assert.Equal(limits with { RequestsPerMinute = 20, TokensPerMinute = 33, ParallelRequests = 1 }, SliceDecision.RateShare(limits, 3));
    }
}
