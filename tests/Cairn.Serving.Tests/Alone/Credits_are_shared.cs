using Cairn.Contracts.Units;
using Cairn.Serving.Gateways;
using CsCheck;

namespace Cairn.Serving.Tests.Alone;

public sealed class Credits_are_shared
{
    /// <summary>
    /// A server and three gateways spend one project's credits by two keys that nothing else holds to money, while processes die, words between them are lost, usage is written
    /// late and credits are granted. All that was used, wherever, but for what a killed gateway had not written down, is within the credits at every moment; in the end all of it
    /// was charged, and once, and what was lent and is not spent comes back.
    /// </summary>
    [Fact]
    public Task Never_over_the_credits_whoever_dies_and_whatever_is_lost() =>
        Gen.Select(Gen.Long[0, 2000], Gen.Select(Gen.Int[0, 11], Gen.Int[0, 2], Gen.Long[1, 300], Gen.Double[0, 1], Gen.Bool).Array[20, 90]).SampleAsync(async (credits, steps) =>
        {
            var (one, other) = (SharedBudget.Key("one", null), SharedBudget.Key("other", null));
            await using var world = await SharedBudget.StartAsync(credits, 3, one, other);
            var (used, lost) = (0L, 0L);
            foreach (var (what, who, most, share, first) in steps)
            {
                var (gateway, key, cost) = (world.Gateways[who], first ? one : other, (long)(most * share));
                var letIn = false;
                switch (what)
                {
                    case 0 or 1 or 2 or 3:
                        letIn = gateway.Use(key, most, cost);
                        if (!letIn)
                            await gateway.ReportAsync([new BudgetAsk(key.Project, new Money(most))]);
                        break;
                    case 4 or 5:
                        letIn = await world.UseAsync(key, most, cost, written: what == 4);
                        break;
                    case 6:
                        await gateway.ReportAsync();
                        break;
                    case 7:
                        await gateway.ReportAsync(arrives: share < 0.5, answered: false);
                        break;
                    case 8:
                        lost += gateway.Kill();
                        break;
                    case 9:
                        await world.KillServerAsync();
                        break;
                    case 10:
                        await world.GrantAsync(most / 4);
                        break;
                    default:
                        await gateway.ReportAsync(leaving: true);
                        break;
                }
                used += letIn ? cost : 0;
                Assert.True(used - lost <= world.Credits, $"{used} of {world.Credits} are used, {lost} of it lost");
            }
            foreach (var gateway in world.Gateways)
            {
                // One that was killed may not know of all that it was lent; it hears of that with the next answer.
                await gateway.ReportAsync([new BudgetAsk(one.Project, Money.Zero)]);
                do
                    await gateway.ReportAsync(leaving: true);
                while (!gateway.Book.IsEmpty);
            }
            await world.KillServerAsync();
            Assert.Equal(used - lost, await world.ChargedAsync());
            Assert.Equal(world.Credits - used + lost, world.State.FindPurse(one.Project)!.Room(world.Time.GetUtcNow()).Micros);
        }, iter: 25, threads: 1);

    [Fact]
    public async Task What_was_used_at_a_gateway_is_off_the_ledger_before_it_counts_as_lent_no_more()
    {
        var key = SharedBudget.Key("app", null);
        await using var world = await SharedBudget.StartAsync(1000, 1, key);
        var gateway = world.Gateways[0];
        await gateway.ReportAsync();
        Assert.True(gateway.Use(key, 500, 200));
        Assert.False(await world.UseAsync(key, 501, 0));
        await gateway.ReportAsync();

        Assert.Equal(500, world.State.FindPurse(key.Project)!.Room(world.Time.GetUtcNow()).Micros);
        Assert.False(await world.UseAsync(key, 501, 0));
        Assert.True(gateway.Use(key, 300, 0));
        Assert.False(gateway.Use(key, 301, 0));
    }

    [Fact]
    public async Task Credits_that_go_elsewhere_are_asked_back_from_those_that_hold_them_idle()
    {
        var key = SharedBudget.Key("app", null);
        await using var world = await SharedBudget.StartAsync(1000, 1, key);
        var gateway = world.Gateways[0];
        world.Board.Sit(gateway.Id);
        await gateway.ReportAsync();
        Assert.True(gateway.Use(key, 500, 100));

        await world.GrantAsync(-700); // a job holds it
        await gateway.ReportAsync();
        world.Time.Advance(TimeSpan.FromSeconds(2));
        await gateway.ReportAsync();

        // What is left is shared anew.
        Assert.False(gateway.Use(key, 101, 0));
        Assert.True(gateway.Use(key, 100, 0));
        Assert.False(await world.UseAsync(key, 101, 0));
        Assert.True(await world.UseAsync(key, 100, 0));
    }

    [Fact]
    public async Task A_gateway_of_a_server_that_lends_no_credits_is_not_held_to_them()
    {
        var key = SharedBudget.Key("app", null);
        await using var world = await SharedBudget.StartAsync(1000, 1, key);
        world.Gateways[0].Begin(limitsFunds: false);
        Assert.True(world.Gateways[0].Use(key, 5000, 0));
    }

    [Fact]
    public async Task A_loan_whose_write_was_cut_off_is_written_before_the_gateway_hears_of_it()
    {
        var key = SharedBudget.Key("app", null);
        await using var world = await SharedBudget.StartAsync(1000, 1, key);
        var (slices, id, ask) = (new SliceBook(world.Store, world.State), world.Gateways[0].Id, new BudgetAsk(key.Project, new Money(400)));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => slices.LendAsync(id, [ask], 2, world.Time.GetUtcNow(), new CancellationToken(canceled: true)));

        var told = Assert.Single(await slices.LendAsync(id, [ask], 2, world.Time.GetUtcNow(), TestContext.Current.CancellationToken));
        var rows = await world.Store.ReadAsync(session => GatewayRows.Slices(session, world.Time.GetUtcNow()), TestContext.Current.CancellationToken);
        Assert.Equal(told.Lent, Assert.Single(rows).Lent);
    }
}
