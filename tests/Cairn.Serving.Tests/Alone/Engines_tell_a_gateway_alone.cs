using Cairn.Contracts.Ids;
using Cairn.Serving.Alone;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Gateways;
using Cairn.Serving.Tests.Gateway;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Tests.Alone;

public sealed class Engines_tell_a_gateway_alone : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-engines-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Of_requests_that_others_sent_where_it_dials_them_itself()
    {
        await using var engine = await FakeReplica.StartAsync(context => context.Response.WriteAsync("vllm:num_requests_running 5\nvllm:num_requests_waiting 4\n"));
        await using var hidden = await FakeReplica.StartAsync(context => context.Response.WriteAsync("vllm:num_requests_running 7\n"));
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(TimeProvider.System).AddGatewayAlone(new AloneOptions
        {
            Server = new Uri("http://127.0.0.1:1"), Key = $"ck_{Guid.CreateVersion7():N}_{new string('a', 43)}", Name = "edge", DataFolder = _folder,
        }, TimeProvider.System);
        await using var app = builder.Build();
        var (project, now) = (ProjectId.New(TimeProvider.System.GetUtcNow()), TimeProvider.System.GetUtcNow());
        var (direct, tunnelled) = (Spec(engine, now), Spec(hidden, now) with { Tunnelled = true });
        var pool = new PoolTarget { Endpoint = EndpointId.New(now), Revision = 1, UpstreamModel = "m", Replicas = [direct, tunnelled] };

        app.Services.GetRequiredService<AloneSnapshots>().Take(new SnapshotFile([new ModelRoute { Name = new ModelName(project, "m"), Targets = [pool] }], []));

        var state = app.Services.GetRequiredService<GatewayState>();
        await A_request_survives.UntilAsync(() => state.Elsewhere(direct.Task, TimeProvider.System.GetUtcNow()) == 9);
        Assert.Empty(hidden.Asked);
    }

    private static ReplicaSpec Spec(FakeReplica replica, DateTimeOffset now) => new() { Task = TaskId.New(now), Address = replica.Address, Ready = true };
}
