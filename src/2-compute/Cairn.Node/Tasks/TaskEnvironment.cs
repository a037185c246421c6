using System.Globalization;
using System.Text.Json;
using Cairn.Contracts.Frameworks;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;

namespace Cairn.Node.Tasks;

/// <summary>What a task's environment needs to know of this node and of the task's folders.</summary>
internal sealed record TaskPlace
{
    public required string NodeName { get; init; }

    public required string Workdir { get; init; }

    public required string Home { get; init; }

    public required string Temp { get; init; }

    public required string PeersFile { get; init; }

    public required string HostFile { get; init; }

    /// <summary>Null where the workload names no framework, or one for which nothing is set up.</summary>
    public FrameworkSetting? Framework { get; init; }

    /// <summary>Null where the workload has no checkpoints.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>All devices of the node.</summary>
    public IReadOnlyList<Device> Devices { get; init; } = [];

    public string Path { get; init; } = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    public string User { get; init; } = "cairn";

    /// <summary>This very program, so that a task can start an engine without one being installed; null where it has no file.</summary>
    public string? Program { get; init; }
}

/// <summary>
/// The environment of a task, pure. Later groups win over earlier ones: (1) the machine's basics, (2) the names that existing scripts
/// read, of torch, SkyPilot and dstack, (3) what the workload's framework reads, (4) the workload's own env and secrets, (5) CAIRN_*, which
/// nobody may take away.
/// Cairn starts one process per node, so WORLD_SIZE is the number of nodes, RANK the node's rank and LOCAL_RANK 0; a launcher such as
/// torchrun sets them anew for each process that it starts. A task that wants a signal when a rank was replaced sets
/// CAIRN_PEERS_SIGNAL to HUP, USR1 or USR2.
/// </summary>
internal static class TaskEnvironment
{
    /// <summary>
    /// A port for rank 0 of a task that needs no agreement on one, from 20000 to 29999, the same for each start of the task.
    /// </summary>
    public static int DefaultMasterPort(string taskId) => 20_000 + (int)(Fnv.Hash32(taskId) % 10_000);

    public static SortedDictionary<string, string> Build(StartTask start, IReadOnlyList<Peer> peers, int masterPort, TaskPlace place)
    {
        var all = new SortedDictionary<string, string>(StringComparer.Ordinal);
        var ranks = Addresses(start, peers);
        AddBasics(all, place);
        AddTorch(all, start, ranks, masterPort);
        AddSkyPilot(all, start, ranks);
        AddDstack(all, start, ranks, place);
        AddDevices(all, start, place);
        foreach (var (name, value) in place.Framework?.Environment ?? new Dictionary<string, string>())
            all[name] = value;
        foreach (var (name, value) in start.Env.Concat(start.Secrets))
            all[name] = value;
        AddCairn(all, start, ranks, masterPort, place);
        return all;
    }

    /// <summary>The peers file: one line per rank in order, rank, address and node name separated by a space.</summary>
    public static string PeersText(IReadOnlyList<Peer> peers) =>
        string.Concat(peers.OrderBy(p => p.Rank).Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Rank} {p.Address} {p.NodeName}\n")));

    /// <summary>An MPI host file: one line per rank in order.</summary>
    public static string HostText(StartTask start, IReadOnlyList<Peer> peers) =>
        string.Concat(peers.OrderBy(p => p.Rank).Select(p => $"{p.Address} slots={Text(Math.Max(1, Accelerators(start)))}\n"));

    public static int Accelerators(StartTask start) =>
        start.DeviceIndexes.Count > 0 ? start.DeviceIndexes.Count : (int)Math.Ceiling(start.Accelerators);

    /// <summary>Where the task stands, for recipes of frameworks; null while its peers are not known.</summary>
    public static TaskPlacement? Placement(StartTask start, IReadOnlyList<Peer> peers, int masterPort, string hostFile)
    {
        var ranks = Addresses(start, peers);
        if (start.Rank < 0 || start.Rank >= ranks.Count)
            return null;
        return new TaskPlacement
        {
            Rank = start.Rank,
            Addresses = ranks,
            MasterPort = masterPort,
            SlotsPerNode = Math.Max(1, Accelerators(start)),
            HostFile = hostFile,
        };
    }

    private static List<string> Addresses(StartTask start, IReadOnlyList<Peer> peers)
    {
        var known = peers.OrderBy(p => p.Rank).Select(p => p.Address).ToList();
        // A single node talks to itself and needs no network.
        return known.Count == 0 && start.NodeCount <= 1 ? ["127.0.0.1"] : known;
    }

    private static void AddBasics(SortedDictionary<string, string> all, TaskPlace place)
    {
        all["PATH"] = place.Path;
        all["HOME"] = place.Home;
        all["TMPDIR"] = place.Temp;
        all["USER"] = place.User;
        all["LOGNAME"] = place.User;
        all["SHELL"] = "/bin/sh";
        all["LANG"] = "C.UTF-8";
        // Output reaches the log line by line even though it goes to a file.
        all["PYTHONUNBUFFERED"] = "1";
    }

    private static void AddTorch(SortedDictionary<string, string> all, StartTask start, List<string> ranks, int masterPort)
    {
        all["MASTER_ADDR"] = ranks.FirstOrDefault("");
        all["MASTER_PORT"] = Text(masterPort);
        all["WORLD_SIZE"] = Text(Math.Max(1, start.NodeCount));
        all["RANK"] = Text(start.Rank);
        all["LOCAL_RANK"] = "0";
        all["LOCAL_WORLD_SIZE"] = "1";
        all["NODE_RANK"] = Text(start.Rank);
    }

    private static void AddSkyPilot(SortedDictionary<string, string> all, StartTask start, List<string> ranks)
    {
        var accelerators = Text(Accelerators(start));
        var addresses = string.Join('\n', ranks);
        all["SKYPILOT_NODE_RANK"] = all["SKYPILOT_SETUP_NODE_RANK"] = Text(start.Rank);
        all["SKYPILOT_NUM_NODES"] = Text(Math.Max(1, start.NodeCount));
        all["SKYPILOT_NODE_IPS"] = all["SKYPILOT_SETUP_NODE_IPS"] = addresses;
        all["SKYPILOT_NUM_GPUS_PER_NODE"] = all["SKYPILOT_SETUP_NUM_GPUS_PER_NODE"] = accelerators;
        all["SKYPILOT_TASK_ID"] = all["SKYPILOT_TASK_IDS"] = all["SKYPILOT_MANAGED_JOB_ID"] = start.JobId;
        all["SKYPILOT_USER"] = start.Project;
        all["SKYPILOT_CLUSTER_INFO"] = JsonSerializer.Serialize(new Dictionary<string, string>
        {
            ["cluster_name"] = start.JobName,
            ["cloud"] = start.Provider,
            ["region"] = start.Region,
            ["zone"] = "",
        });
    }

    private static void AddDstack(SortedDictionary<string, string> all, StartTask start, List<string> ranks, TaskPlace place)
    {
        var accelerators = Accelerators(start);
        all["DSTACK_NODE_RANK"] = Text(start.Rank);
        all["DSTACK_NODES_NUM"] = Text(Math.Max(1, start.NodeCount));
        all["DSTACK_NODES_IPS"] = string.Join('\n', ranks);
        all["DSTACK_MASTER_NODE_IP"] = ranks.FirstOrDefault("");
        all["DSTACK_GPUS_PER_NODE"] = Text(accelerators);
        all["DSTACK_GPUS_NUM"] = Text(accelerators * Math.Max(1, start.NodeCount));
        all["DSTACK_RUN_NAME"] = start.JobName;
        all["DSTACK_RUN_ID"] = start.JobId;
        all["DSTACK_JOB_ID"] = start.TaskId;
        all["DSTACK_WORKING_DIR"] = all["DSTACK_REPO_DIR"] = place.Workdir;
        all["DSTACK_MPI_HOSTFILE"] = place.HostFile;
    }

    /// <summary>
    /// A task sees the real devices that it was given and no others; one without devices sees none. Simulated devices are not there, so
    /// they are not named to libraries that would look for them.
    /// </summary>
    private static void AddDevices(SortedDictionary<string, string> all, StartTask start, TaskPlace place)
    {
        foreach (var (vendor, name) in ((string, string)[])[("nvidia", "CUDA_VISIBLE_DEVICES"), ("amd", "ROCR_VISIBLE_DEVICES")])
        {
            var real = place.Devices.Where(d => !d.Simulated && d.Vendor == vendor).Select(d => d.Index).ToHashSet();
            if (real.Count > 0)
                all[name] = string.Join(',', start.DeviceIndexes.Where(real.Contains));
        }
    }

    private static void AddCairn(SortedDictionary<string, string> all, StartTask start, List<string> ranks, int masterPort, TaskPlace place)
    {
        all["CAIRN_JOB_ID"] = start.JobId;
        all["CAIRN_JOB_NAME"] = start.JobName;
        all["CAIRN_PROJECT"] = start.Project;
        all["CAIRN_TASK_ID"] = start.TaskId;
        all["CAIRN_ATTEMPT"] = Text(start.Attempt);
        all["CAIRN_RANK"] = Text(start.Rank);
        all["CAIRN_NODE_COUNT"] = Text(Math.Max(1, start.NodeCount));
        all["CAIRN_PEERS"] = string.Join('\n', ranks);
        all["CAIRN_PEERS_FILE"] = place.PeersFile;
        all["CAIRN_HOST_FILE"] = place.HostFile;
        all["CAIRN_MASTER_ADDR"] = ranks.FirstOrDefault("");
        all["CAIRN_MASTER_PORT"] = Text(masterPort);
        all["CAIRN_ACCELERATORS_PER_NODE"] = Text(Accelerators(start));
        all["CAIRN_WORKDIR"] = place.Workdir;
        all["CAIRN_OUTPUT_DIR"] = Path.Combine(place.Workdir, "outputs");
        all["CAIRN_PROVIDER"] = start.Provider;
        all["CAIRN_REGION"] = start.Region;
        all["CAIRN_NODE_NAME"] = place.NodeName;
        if (start.ServicePort > 0)
            all["PORT"] = all["CAIRN_PORT"] = Text(start.ServicePort);
        if (start.ServiceGrpcPort > 0)
            all["GRPC_PORT"] = all["CAIRN_GRPC_PORT"] = Text(start.ServiceGrpcPort);
        if (place.Program is { } program)
            all["CAIRN_PROGRAM"] = program;
        if (start.Framework.Length > 0)
            all["CAIRN_FRAMEWORK"] = start.Framework;
        if (place.Framework is { Launch.Length: > 0 } framework)
            all["CAIRN_LAUNCH"] = framework.Launch;
        if (place.Checkpoint is { } checkpoint)
            all["CAIRN_CHECKPOINT_PATH"] = checkpoint;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
