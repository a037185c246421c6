using Cairn.Contracts.Api;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Offers;
using Cairn.Contracts.Units;
using Cairn.Fleet.Jobs;
using Cairn.Fleet.Link;
using Cairn.Fleet.Nodes;
using Cairn.Fleet.Outputs;
using Cairn.Fleet.Placement;
using Cairn.Fleet.Secrets;
using Cairn.Fleet.Work;
using Cairn.State;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Fleet.Tests.Jobs;

/// <summary>The fleet over a real store with simulated nodes in memory. A world can be killed and opened again on the same files.</summary>
internal sealed class World : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private readonly Deaths _deaths = new();
    private readonly List<BackgroundService> _loops = [];
    private readonly SecretSeal _seal;
    private readonly bool _ownsFolder;
    private bool _closed;

    private World(string folder, TimeProvider time, Store store, WorldOptions options, bool ownsFolder)
    {
        (Folder, Time, Store, Options, _ownsFolder) = (folder, time, store, options, ownsFolder);
        var fleet = new FleetOptions { SecretKeyFile = Path.Combine(folder, "secrets.key"), LeaseSeconds = 60,
            MeterInterval = options.MeterInterval };
        _seal = SecretSeal.Open(fleet.SecretKeyFile);
        Nodes = new FleetNodes(time);
        Links = new NodeLinks(Nodes);
        Board = new JobBoard();
        Changes = new JobChanges();
        Inbox = new FleetInbox(store);
        var offers = new NodeOffers(Nodes, (_, _, _) => null, time);
        Plans = new PlacePlans(() => offers.Current() is var now ? (now.Version, now.Offers) : default);
        Parts = new FleetParts(store, Nodes, Board, Funds, _seal, Plans, fleet, time);
        NodeChanges = Nodes.Subscribe();
        Work = new NodeWork(Board, Inbox, new TaskMemory(Board, store), new BlobRights(store), time);
        Waits = new JobWaits(store, Changes, TimeProvider.System);
        Stops = new JobStops(store, Inbox);
        Blobs = new FolderBlobs(Path.Combine(folder, "blobs"), time);
        Intake = new JobIntake(store, Board, Inbox, Funds, _deaths, NullLogger<JobIntake>.Instance);
        Submission = new JobSubmission(new WorkloadCache(), Plans, Intake, _seal, Blobs, time);
        Reconciler = new JobReconciler(
            Parts, Inbox, new TurnInputs(Parts, NodeChanges), new TurnOutlet(Parts, Links, Changes), NullLogger<JobReconciler>.Instance);
    }

    public string Folder { get; }

    public TimeProvider Time { get; }

    public FakeTimeProvider Clock => (FakeTimeProvider)Time;

    public Store Store { get; }

    public WorldOptions Options { get; }

    public FleetNodes Nodes { get; }

    public NodeLinks Links { get; }

    public JobBoard Board { get; }

    public JobChanges Changes { get; }

    public FleetInbox Inbox { get; }

    public FleetParts Parts { get; }

    public NodeChanges NodeChanges { get; }

    public NodeWork Work { get; }

    public JobWaits Waits { get; }

    public JobStops Stops { get; }

    public FolderBlobs Blobs { get; }

    public JobIntake Intake { get; }

    public PlacePlans Plans { get; }

    public JobSubmission Submission { get; }

    public JobReconciler Reconciler { get; }

    public RecordingFunds Funds { get; } = new();

    public bool RemembersMessages => Options.RemembersMessages;

    public long NowMicros => Micros.Of(Time.GetUtcNow());

    public Caller Caller { get; } = new(new KeyId(new Guid(1, 0, 0, new byte[8])), "ada", Role.Member,
        new ProjectId(new Guid(2, 0, 0, new byte[8])), "default");

    public static Task<World> OpenAsync(WorldOptions? options = null) =>
        OpenAsync(Directory.CreateTempSubdirectory("cairn-fleet-").FullName, options ?? new(), ownsFolder: true);

    public static async Task<World> OpenAsync(string folder, WorldOptions options, bool ownsFolder = false, TimeProvider? time = null)
    {
        time ??= options.RealTime ? TimeProvider.System : new FakeTimeProvider(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));
        var store = await Store.OpenAsync(
            new StoreOptions { Database = Path.Combine(folder, "cairn.db") }, [.. FleetMigrations.All, RecordingFunds.Migration], time,
                CancellationToken.None);
        var world = new World(folder, time, store, options, ownsFolder);
        await world.GrantAsync(world.Caller.Project, Money.FromUsd(1_000_000), onlyFirst: true);
        if (options.Runs)
            await world.RunAsync();
        return world;
    }

    /// <summary>Starts the loops.</summary>
    public async Task RunAsync()
    {
        _loops.Add(Intake);
        _loops.Add(new NodeChangeFeed(NodeChanges, Inbox));
        _loops.Add(new ReconcilerLoop(
            new Reconciler(FleetInbox.Signal, Reconciler.ReconcileAsync) { Interval = TimeSpan.FromMinutes(1) }, Store, _deaths,
                NullLogger<ReconcilerLoop>.Instance));
        foreach (var loop in _loops)
            await loop.StartAsync(CancellationToken.None);
    }

    /// <summary>Enrols a node, in memory, and attaches its simulated daemon.</summary>
    public async Task<SimulatedNode> AddNodeAsync(string name, NodeFacts? facts = null, bool attach = true)
    {
        var node = new SimulatedNode(this, NodeId.New(Time.GetUtcNow()), name, facts ?? Machine());
        node.Enrol();
        if (attach)
            await node.AttachAsync();
        return node;
    }

    public static NodeFacts Machine(
        double cpus = 8, int devices = 0, decimal pricePerHour = 3.6m, string provider = "acme", string region = "north",
            InterconnectKind network = InterconnectKind.None) => new()
    {
        Pool = "pool", Provider = provider, DeploymentModel = DeploymentModel.OnPremises, Region = new Region(region, "DE", null),
            InstanceType = "box",
        Price = HourlyPrice.FromUsd(pricePerHour), Labels = new Dictionary<string, string>(), Certifications = [],
            Trust = TrustTier.Enterprise,
        WorksOffline = false, Interconnect = network, AvailabilityPercent = 0, Simulated = true, Cpus = cpus, MemoryBytes = 64L << 30,
            DiskBytes = 1L << 40,
        Architecture = "x64", Address = "10.0.0.1",
        Devices = [.. Enumerable.Range(0, devices).Select(i => new NodeDevice(i, "H100-SXM-80GB", "nvidia", 80L << 30, true))],
        Accelerators = devices == 0 ? null : new OfferAccelerators("H100-SXM-80GB", "nvidia", 80L << 30, devices),
    };

    public async Task<LiveJob> SubmitAsync(string workload, SubmitJobRequest? with = null) =>
        await TrySubmitAsync(workload, with) switch
        {
            IntakeResult.Accepted accepted => accepted.Jobs[0],
            IntakeResult.Refused refused => throw new InvalidOperationException(refused.Refusal.Problem.Message),
            var other => throw new InvalidOperationException($"The job was not accepted: {other}."),
        };

    public Task<IntakeResult> TrySubmitAsync(string workload, SubmitJobRequest? with = null, string? key = null) =>
        Submission.SubmitAsync((with ?? new SubmitJobRequest { Workload = "" }) with { Workload = workload }, Caller, key,
            CancellationToken.None);

    public async Task<JobView> UntilAsync(JobId job, params JobPhase[] phases)
    {
        var words = phases.Select(p => p.ToString().ToLowerInvariant()).ToList();
        var view = await Waits.WaitAsync(job, words, s_patience, CancellationToken.None);
        await _deaths.ThrowIfAnyAsync();
        return phases.Contains(view.Phase)
            ? await WholeAsync(job)
            : throw new TimeoutException($"The job is {view.Phase} ({view.Reason}: {view.Message}), not {string.Join(" or ", words)}.");
    }

    public async Task<JobView> WholeAsync(JobId job) =>
        (await Store.ReadAsync(session => JobReading.Whole(session, job), CancellationToken.None))!;

    /// <summary>Waits until something holds, as seen by looking again and again.</summary>
    public async Task UntilAsync(Func<bool> holds, string what)
    {
        var end = TimeProvider.System.GetTimestamp() + (long)(s_patience.TotalSeconds * TimeProvider.System.TimestampFrequency);
        while (!holds())
        {
            await _deaths.ThrowIfAnyAsync();
            if (TimeProvider.System.GetTimestamp() > end)
                throw new TimeoutException($"Waited in vain until {what}.");
            await Task.Delay(2);
        }
    }

    public Task GrantAsync(ProjectId project, Money amount, bool onlyFirst = false) => Store.WriteAsync(
        session => session.Execute(
            "INSERT INTO test_balances (project_id, available) VALUES (@project, @amount) "
                + $"ON CONFLICT (project_id) DO {(onlyFirst ? "NOTHING" : "UPDATE SET available = @amount")}",
            new { project, amount }), CancellationToken.None);

    public Task<IReadOnlyList<T>> RowsAsync<T>(string sql, object? args = null) =>
        Store.ReadAsync(session => session.Query<T>(sql, args), CancellationToken.None);

    /// <summary>Time passes, and every attached node is heard.</summary>
    public void Advance(TimeSpan time)
    {
        Clock.Advance(time);
        foreach (var node in Nodes.All.Where(n => n.Connected))
            node.Hear(Time.GetTimestamp());
        Inbox.Post(new FleetInput.TimeCame());
    }

    /// <summary>The next turn has been taken.</summary>
    public async Task TurnAsync()
    {
        var reply = new TaskCompletionSource<NodeReplay>();
        Inbox.Post(new FleetInput.NodeAttached(default, [], new HashSet<TaskId>(), reply));
        await reply.Task.WaitAsync(s_patience);
    }

    /// <summary>A simulated node failed: whoever waits is told.</summary>
    public void Fail(Exception error) => _deaths.Cause = error;

    /// <summary>Ends everything without grace: what was not durable is lost.</summary>
    public async Task KillAsync()
    {
        if (_closed)
            return;
        _closed = true;
        // The store first: what the loops still want to write is refused, as after a kill.
        await Store.DisposeAsync();
        foreach (var loop in _loops)
        {
            await loop.StopAsync(CancellationToken.None);
            loop.Dispose();
        }
        _seal.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        if (_ownsFolder)
            Directory.Delete(Folder, recursive: true);
    }

    private sealed class Deaths : IHostApplicationLifetime
    {
        private readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => _stopping.Cancel();

        public Exception? Cause { get; set; }

        public Task ThrowIfAnyAsync() => _stopping.IsCancellationRequested || Cause is not null
            ? Task.FromException(new InvalidOperationException("A loop of the fleet died.", Cause))
            : Task.CompletedTask;
    }
}

internal sealed record WorldOptions
{
    public bool RealTime { get; init; }

    public bool Runs { get; init; } = true;

    public bool RemembersMessages { get; init; } = true;

    public TimeSpan MeterInterval { get; init; } = TimeSpan.FromMinutes(1);
}
