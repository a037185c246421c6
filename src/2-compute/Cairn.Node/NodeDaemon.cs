using System.Reflection;
using Cairn.Contracts.Wire;
using Cairn.Hardware.Discovery;
using Cairn.Node.Facts;
using Cairn.Node.Files;
using Cairn.Node.Identity;
using Cairn.Node.Link;
using Cairn.Node.Native;
using Cairn.Node.Processes;
using Cairn.Node.Tasks;
using Cairn.Node.Tunnel;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Cairn.Node;

/// <summary>
/// The node daemon: joins once, then holds a stream to the control plane and runs what it is given. It needs no inbound port. Stopping it
/// leaves the tasks running; the next daemon on the same data folder takes them up.
/// </summary>
public sealed partial class NodeDaemon
{
    private readonly NodeOptions _options;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly TimeProvider _clock;
    private readonly IFrameworkRecipes? _frameworks;
    private readonly TaskCompletionSource<NodeStanding> _joined = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <param name="options">How it is set up.</param>
    /// <param name="loggers">Where it tells what it does.</param>
    /// <param name="frameworks">What frameworks read; null sets nothing up for them.</param>
    public NodeDaemon(NodeOptions options, ILoggerFactory loggers, IFrameworkRecipes? frameworks = null)
        : this(options, loggers, BootClock.Instance) => _frameworks = frameworks;

    internal NodeDaemon(NodeOptions options, ILoggerFactory loggers, TimeProvider clock)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(loggers);
        (_options, _loggers, _clock) = (options, loggers, clock);
        _logger = loggers.CreateLogger<NodeDaemon>();
    }

    /// <summary>Who the node is, once it has joined.</summary>
    public Task<NodeStanding> Joined => _joined.Task;

    /// <summary>Whether the daemon of this data folder has joined, and so needs no token.</summary>
    public static bool HasJoined(string dataFolder) => File.Exists(NodeFolder.EnrolmentFileOf(dataFolder));

    /// <summary>Runs until cancelled.</summary>
    /// <exception cref="NodeRefusedException">The node cannot start, or the control plane removed it; then all its tasks were
    /// stopped.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StartAsync(cancellationToken);
        }
        catch (Exception e)
        {
            _joined.TrySetException(e);
            _ = _joined.Task.Exception;
            if (e is not OperationCanceledException and not NodeRefusedException)
                LogDied(_logger, e);
            throw;
        }
    }

    private async Task StartAsync(CancellationToken cancellationToken)
    {
        // 1. Settings and the data folder.
        if (!OperatingSystem.IsLinux())
            throw new NodeRefusedException("platform", "a node runs on Linux: its tasks need Linux processes, and cgroups where there are any");
        if (_options.Validate() is { Count: > 0 } wrong)
            throw new NodeRefusedException("options", string.Join(Environment.NewLine, wrong));
        using var folder = NodeFolder.Open(_options.DataFolder);
        var (users, problem) = TaskUsers.From(_options.TaskUser, TaskUsers.CanChangeUser());
        if (users is null)
            throw new NodeRefusedException("options", problem!);
        var work = folder.MakeWorkFolder(_options.WorkFolder, users.AreUnprivileged);
        var cgroups = _options.UseCgroups ? CgroupTree.Find("cairn-" + folder.Tag) : CgroupTree.None;

        // 2. Who the node is.
        using var identity = NodeIdentity.LoadOrCreate(folder.KeyFile);
        var declared = _options.Simulate is { } simulate ? DeclaredDevices.Parse(simulate) : [];
        var inventory = new MachineDiscovery().Discover(work, declared);
        inventory.Benchmark = StoredBenchmark.Read(folder.BenchmarkFile);
        inventory.TaskUser = users.Name;
        inventory.TaskLimits.Add(cgroups.Limits);
        var (enrolment, fresh) = await EnrolAsync(folder, identity, inventory, cancellationToken);
        _joined.TrySetResult(new NodeStanding(enrolment.NodeId, enrolment.Name, enrolment.Server, users.Name, cgroups.Limits));
        LogJoined(_logger, enrolment.Name, enrolment.NodeId.ToString(), enrolment.Server, users.Name, string.Join(',', cgroups.Limits));

        // 3. What all tasks share.
        using var authority = enrolment.AuthorityCertificate();
        using var channel = NodeChannel.Open(_options.Server ?? enrolment.Server, authority);
        using var watch = new FolderWatch();
        var random = new Random(BitConverter.ToInt32(identity.PublicKey));
        var link = new ServerLink(
            new NodeLink.NodeLinkClient(channel), identity, enrolment.NodeId, _clock, random, _loggers.CreateLogger<ServerLink>());
        var blobs = new BlobLink(link, enrolment.NodeId.ToString(), _clock, new Random(random.Next()));
        var node = new NodeSurroundings
        {
            Options = _options,
            NodeName = enrolment.Name,
            ControlRoot = folder.Tasks,
            WorkRoot = work,
            Clock = _clock,
            BootId = BootClock.BootId(),
            Link = link,
            Leases = new LeaseStamps(folder.LeaseFile, BootClock.BootId()),
            Watch = watch,
            Cgroups = cgroups,
            Users = users,
            Blobs = blobs,
            Cache = new BlobCache(Path.Combine(work, "cache"), _options.CacheBytes, blobs, _clock),
            Devices = inventory.Devices,
            Logger = _loggers.CreateLogger<NodeTask>(),
            Frameworks = _frameworks,
        };

        // 4. Take up what runs, then work.
        var table = new TaskTable(node, new FinishedTasks(folder.DoneFile));
        var events = new LinkEvents(node, table, new NodeNews(folder.NextBootEpoch(), Version(), inventory, Declared(folder, fresh)));
        if (_options.Benchmark && inventory.Benchmark is null)
            _ = Task.Run(() => StoredBenchmark.Measure(folder.BenchmarkFile, work, _clock, events.Measured, cancellationToken), cancellationToken);
        var tunnel = new NodeTunnel(
            new TunnelServer(_options.Server ?? enrolment.Server, authority, enrolment.NodeId), node, table, new Random(random.Next()));
        await ServeAsync(node, new DaemonLoops(table, link, events, tunnel), folder, cancellationToken);
    }

    private async Task ServeAsync(
        NodeSurroundings node, DaemonLoops loops, NodeFolder folder, CancellationToken cancellationToken)
    {
        var (table, link, events, tunnel) = loops;
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        table.TakeUp(stopping.Token);
        var disk = new DiskWatch(node, table).RunAsync(stopping.Token);
        var tunnelled = tunnel.RunAsync(stopping.Token);
        var linked = link.RunAsync(events, _options.HeartbeatSeconds, stopping.Token);
        try
        {
            // A loop that dies takes the daemon with it: half a daemon would look alive and do nothing.
            var first = await Task.WhenAny(linked, disk, table.Faulted, node.Options.TunnelStreams > 0 ? tunnelled : linked);
            if (first != linked)
                await first;
            var refused = await linked;
            LogRefused(_logger, refused.Code, refused.Message);
            await table.DropAllAsync();
            File.Delete(folder.EnrolmentFile);
            throw new NodeRefusedException(refused.Code,
                $"the control plane refuses this node ({refused.Message}): its tasks were stopped; join again with a new token to come back");
        }
        finally
        {
            await stopping.CancelAsync();
            await Task.WhenAll(linked, disk, tunnelled, table.AllEndedAsync()).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            node.Cgroups.Remove();
        }
    }

    private sealed record DaemonLoops(TaskTable Table, ServerLink Link, LinkEvents Events, NodeTunnel Tunnel);

    private async Task<(Enrolment Enrolment, bool Fresh)> EnrolAsync(
        NodeFolder folder, NodeIdentity identity, Inventory inventory, CancellationToken cancellationToken)
    {
        if (Enrolment.Read(folder.EnrolmentFile) is { } known)
        {
            inventory.Address = _options.Address ?? MachineFacts.AddressTowards(_options.Server ?? known.Server);
            return (known, false);
        }
        if (!JoinToken.TryDecode(_options.JoinToken, out var token))
            throw new NodeRefusedException("not_joined", $"the node in {folder.Root} has not joined a fleet yet: start it with a join token");
        var server = _options.Server ?? token.Server;
        inventory.Address = _options.Address ?? MachineFacts.AddressTowards(server);
        var request = new JoinRequest { Inventory = inventory, Declaration = Declaration(), DaemonVersion = Version() };
        for (var failures = 1; ; failures++)
        {
            try
            {
                var enrolment = await Enrolment.JoinAsync(token, server, identity, request, cancellationToken);
                enrolment.Write(folder.EnrolmentFile);
                return (enrolment, true);
            }
            catch (RpcException e) when (NodeChannel.IsCertificateFault(e))
            {
                throw new NodeRefusedException("certificate", $"the certificate of the server at {server} is not one that its own CA issued for this "
                    + "host: the server must name the address by which nodes reach it");
            }
            catch (RpcException e) when (e.StatusCode is StatusCode.Unavailable or StatusCode.DeadlineExceeded or StatusCode.Internal
                && !cancellationToken.IsCancellationRequested)
            {
                LogJoinFailed(_logger, server, e.Status.Detail);
                await Task.Delay(Backoff.Delay(failures, 0.5), _clock, cancellationToken);
            }
            catch (RpcException e) when (!cancellationToken.IsCancellationRequested)
            {
                throw new NodeRefusedException("join_refused", $"the server {server} refuses the join: {e.Status.Detail}");
            }
        }
    }

    private Declaration Declaration()
    {
        var declaration = _options.Declaration.Clone();
        declaration.Simulated |= _options.Simulate is not null;
        return declaration;
    }

    /// <summary>The declaration, where it is another than the server was last told.</summary>
    private Declaration? Declared(NodeFolder folder, bool fresh)
    {
        var declaration = Declaration();
        var bytes = declaration.ToByteArray();
        var told = fresh || (File.Exists(folder.DeclarationFile) && File.ReadAllBytes(folder.DeclarationFile).AsSpan().SequenceEqual(bytes));
        Durable.AtomicFile.Write(folder.DeclarationFile, bytes);
        return told ? null : declaration;
    }

    private static string Version() => typeof(NodeDaemon).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0";
}
