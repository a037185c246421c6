using Cairn.Contracts.Ids;
using Cairn.Contracts.Problems;
using Cairn.Contracts.Units;
using Cairn.Fleet;
using Cairn.Fleet.Leasing;
using Cairn.Serving.Autoscaling;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Rollouts;
using Cairn.Serving.Usage;
using Cairn.State;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Tests.Endpoints;

/// <summary>A server that has just begun reads its jobs and its endpoints by loops of their own, in any order.</summary>
public sealed class An_endpoint_waits_for_the_fleet : IDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-serving-").FullName;

    [Fact]
    public async Task Before_the_jobs_are_read_no_replica_is_taken_for_lost_and_nothing_is_served()
    {
        var cancellationToken = TestContext.Current.CancellationToken;
        await using var store = await Store.OpenAsync(
            new StoreOptions { Database = Path.Combine(_folder, "cairn.db") }, [.. FleetMigrations.All, .. ServingMigrations.All], TimeProvider.System, cancellationToken);
        var replica = await WriteAsync(store, cancellationToken);
        using var host = Compose(store);
        var (endpoints, gateway) = (host.Services.GetRequiredService<EndpointReconciler>(), host.Services.GetRequiredService<GatewayState>());

        await endpoints.ReconcileAsync(null, cancellationToken);
        var seen = (await store.ReadAsync(EndpointRows.LiveReplicas, cancellationToken)).Single();
        Assert.Equal((ReplicaPhase.Ready, replica.TaskId, 0), (seen.Phase, seen.TaskId, gateway.Snapshot.Version));

        var pushed = gateway.Changed;
        await host.StartAsync(cancellationToken);
        await pushed.WaitAsync(TimeSpan.FromMinutes(2), cancellationToken);
        Assert.Equal(1, gateway.Snapshot.Version);
        await host.StopAsync(cancellationToken);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<ReplicaRow> WriteAsync(Store store, CancellationToken cancellationToken)
    {
        var endpoint = new EndpointRow
        {
            Id = EndpointId.New(s_now), ProjectId = ProjectId.New(s_now), Project = "default", Name = "tiny", Model = "tiny", Revision = 1, Wanted = 1,
            Scaling = new ScalingSpec(), Settings = new EndpointSettings(), CreatedAt = s_now, CreatedKey = KeyId.New(s_now), CreatedBy = "ada",
        };
        var replica = new ReplicaRow
        {
            Id = Guid.CreateVersion7(s_now), EndpointId = endpoint.Id, Revision = 1, Phase = ReplicaPhase.Ready, JobId = JobId.New(s_now), TaskId = TaskId.New(s_now),
            Since = s_now, MadeAt = s_now, ReadyAt = s_now,
        };
        await store.WriteAsync(session =>
        {
            EndpointRows.Insert(session, endpoint);
            EndpointRows.Insert(session, replica);
        }, cancellationToken);
        return replica;
    }

    private IHost Compose(Store store)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings { ContentRootPath = _folder });
        builder.Services.AddLogging(logging => logging.ClearProviders());
        builder.Services.AddSingleton(TimeProvider.System).AddSingleton(store).AddSingleton<IBlobs>(new FolderBlobs(Path.Combine(_folder, "blobs"), TimeProvider.System));
        builder.Services.AddSingleton<IFundsHold, Free>().AddSingleton<IInferenceCharges, Free>().AddSingleton<IGatewayKeys, Free>();
        builder.Services.AddFleet(new FleetOptions
        {
            SecretKeyFile = Path.Combine(_folder, "keys", "secrets.key"),
            Link = new() { CertificateFolder = Path.Combine(_folder, "keys") },
            Logs = new() { Folder = Path.Combine(_folder, "logs") },
        }, _ => (_, _, _) => null);
        builder.Services.AddServing(new GatewayOptions(), new RolloutOptions(), shared: false);
        return builder.Build();
    }

    /// <summary>Nothing costs anything, and there are no keys.</summary>
    private sealed class Free : IFundsHold, IInferenceCharges, IGatewayKeys
    {
        public event Action? Changed
        {
            add { }
            remove { }
        }

        public string FundsSignal => "free";

        public long Version => 1;

        public Problem? Hold(WriteSession session, JobId job, ProjectId project, Money unspent) => null;

        public void Settle(WriteSession session, IReadOnlyList<LeaseUsage> usages)
        {
        }

        public void Close(WriteSession session, IReadOnlyList<JobId> jobs)
        {
        }

        public void Charge(WriteSession session, Guid batch, DateTimeOffset at, IReadOnlyCollection<KeyValuePair<UsageSubject, UsageSum>> usage)
        {
        }

        public IReadOnlyDictionary<ProjectId, Money> Available(ReadSession session, IReadOnlyCollection<ProjectId>? projects) => new Dictionary<ProjectId, Money>();

        public IReadOnlyCollection<GatewayKey> All() => [];

        public bool Lives(KeyId key) => false;
    }
}
