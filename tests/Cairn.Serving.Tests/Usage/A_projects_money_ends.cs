using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Gateway.Limits;
using Cairn.State;

namespace Cairn.Serving.Tests.Usage;

public sealed class A_projects_money_ends
{
    [Fact]
    public async Task Use_that_is_written_and_use_that_is_not_count_once_each()
    {
        await using var host = await UsageHost.StartAsync();
        var key = host.Key("app");
        host.Granted = 100;
        await host.DieAndStartAsync(key);

        UseOf(host, key, reserve: 60, cost: 60);
        Assert.Null(host.Reserve(key, 41));
        await host.FlushAsync();
        Assert.Null(host.Reserve(key, 41));
        Assert.Equal(new Money(40), host.State.Funds.Find(host.Project)?.Left);
        UseOf(host, key, reserve: 40, cost: 10);
        host.Refuses = true;
        await Assert.ThrowsAsync<StoreException>(host.FlushAsync);
        host.Refuses = false;
        await host.RenewFundsAsync(); // the ledger does not know of the last ten yet
        Assert.Null(host.Reserve(key, 31));
        await host.FlushAsync();
        Assert.Null(host.Reserve(key, 31));
        host.Reserve(key, 30)!.Dispose();
        Assert.Equal(70, await host.ChargedAsync());
    }

    [Fact]
    public async Task Money_that_arrives_is_there_for_the_next_request_and_what_is_free_needs_none()
    {
        await using var host = await UsageHost.StartAsync();
        var key = host.Key("app");
        host.Granted = 0;
        await host.DieAndStartAsync(key);
        Assert.Null(host.Reserve(key, 1));
        host.Reserve(key, 0)!.Dispose();
        host.Granted = 5;
        await host.RenewFundsAsync();
        host.Reserve(key, 5)!.Dispose();
        Assert.Null(host.Reserve(key, 6));
    }

    [Fact]
    public async Task A_project_that_nobody_ever_granted_anything_has_nothing_and_one_whose_money_goes_elsewhere_has_less()
    {
        await using var host = await UsageHost.StartAsync();
        var (key, stranger) = (host.Key("app"), host.Key("stranger") with { Project = ProjectId.New(host.Time.GetUtcNow()) });
        host.Granted = 100;
        await host.DieAndStartAsync(key, stranger);
        Assert.Null(host.Reserve(stranger, 1));
        using var held = host.Reserve(key, 80);
        host.Granted = 50; // a job was held funds for; what was promised is answered all the same
        await host.RenewFundsAsync();
        Assert.Null(host.Reserve(key, 1));
        held!.Settle(0, new Money(10));
        host.Reserve(key, 40)!.Dispose();
    }

    private static void UseOf(UsageHost host, Cairn.Serving.Gateway.Snapshots.GatewayKey key, long reserve, long cost)
    {
        host.Reserve(key, reserve)!.Settle(0, new Money(cost));
        host.Use(key, cost);
    }
}
