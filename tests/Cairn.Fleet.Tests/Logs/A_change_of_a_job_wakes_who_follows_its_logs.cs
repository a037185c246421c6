using Cairn.Contracts.Ids;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Logs;
using Microsoft.Extensions.DependencyInjection;

namespace Cairn.Fleet.Tests.Logs;

public sealed class A_change_of_a_job_wakes_who_follows_its_logs
{
    [Fact]
    public async Task As_the_fleet_is_put_together()
    {
        var options = new FleetOptions { SecretKeyFile = "unused" };
        options.Link.CertificateFolder = "unused";
        options.Logs.Folder = "unused";
        var services = new ServiceCollection().AddSingleton(TimeProvider.System).AddFleet(options, _ => (_, _, _) => null);
        await using var provider = services.BuildServiceProvider();
        var job = JobId.New(DateTimeOffset.UtcNow);
        using var follower = provider.GetRequiredService<LogFollowers>().Follow(job);
        provider.GetRequiredService<JobChanges>().Publish(JobId.New(DateTimeOffset.UtcNow));
        Assert.False(follower.Take().JobChanged);
        provider.GetRequiredService<JobChanges>().Publish(job);
        await follower.WaitAsync(TestContext.Current.CancellationToken);
        Assert.True(follower.Take().JobChanged);
    }
}
