using Cairn.Contracts.Wire;
using Cairn.Hardware.Discovery;

namespace Cairn.Node;

/// <summary>How a node daemon is set up. <see cref="Validate"/> names everything that is wrong at once.</summary>
public sealed class NodeOptions
{
    /// <summary>Where the node's key, its tasks and their logs lie. One daemon per folder. Made with mode 0700 where missing.</summary>
    public required string DataFolder { get; init; }

    /// <summary>
    /// Where tasks have their working directories and files are cached. Null: <c>work</c> in the data folder where the tasks' users can
    /// reach it, else a folder of its own under <c>/var/lib/cairn</c>.
    /// </summary>
    public string? WorkFolder { get; init; }

    /// <summary>The join token's text. Needed once; a node that has joined keeps what it needs in its data folder.</summary>
    public string? JoinToken { get; init; }

    /// <summary>The server as <c>host:port</c>, where it differs from the token's; null uses the token's.</summary>
    public string? Server { get; init; }

    /// <summary>What the person says of the machine: pool, region, price and so on. Sent when the node joins and when it changed.</summary>
    public Declaration Declaration { get; init; } = new();

    /// <summary>
    /// Devices that are declared and not there, such as <c>H100:8</c>, comma separated; the node is shown as simulated. Null: what is
    /// found.
    /// </summary>
    public string? Simulate { get; init; }

    /// <summary>Seconds between heartbeats until the server says otherwise; 1 to 300. Default 10.</summary>
    public int HeartbeatSeconds { get; init; } = 10;

    /// <summary>
    /// Bytes of one task's log kept for a server that has not taken them; at least 64 KiB. Beyond it the oldest unsent records give
    /// way to one that says how much is missing. Default 256 MiB.
    /// </summary>
    public long LogBytesPerTask { get; init; } = 256L << 20;

    /// <summary>Bytes of fetched files kept for later tasks, least recently used first out; 0 keeps none. Default 10 GiB.</summary>
    public long CacheBytes { get; init; } = 10L << 30;

    /// <summary>Days for which a job's checkpoint folder is kept after it was last used on this node; 0 to 3650. Default 7.</summary>
    public int CheckpointDays { get; init; } = 7;

    /// <summary>Free disk below which running tasks are stopped as out of disk, largest user first. Default 256 MiB.</summary>
    public long DiskReserveBytes { get; init; } = 256L << 20;

    /// <summary>Seconds between checks of disk use; 1 to 3600. Default 10.</summary>
    public int DiskCheckSeconds { get; init; } = 10;

    /// <summary>
    /// Who runs tasks. <c>auto</c>: a user of its own for each task where the daemon is root, else the daemon's user. <c>self</c>: the
    /// daemon's user. Otherwise a user's name or number, which needs root. Default <c>auto</c>.
    /// </summary>
    public string TaskUser { get; init; } = "auto";

    /// <summary>Whether tasks are put into cgroups where those are writable. Default true.</summary>
    public bool UseCgroups { get; init; } = true;

    /// <summary>
    /// Whether the machine is measured once, in the background, for under a second; see <see cref="Hardware.Benchmarks.SelfBenchmark"/>.
    /// Default true.
    /// </summary>
    public bool Benchmark { get; init; } = true;

    /// <summary>The address under which other nodes of a gang reach this one; null: the one by which the server is reached.</summary>
    public string? Address { get; init; }

    /// <summary>
    /// The most streams open at once through the tunnel by which the server reaches this node's services, 0 to 100,000; 0 opens no tunnel.
    /// Each may hold 256 KiB unread, and all together 64 MiB more. Default 1,000.
    /// </summary>
    public int TunnelStreams { get; init; } = 1_000;

    /// <summary>All that is wrong with these options, in words; empty where nothing is.</summary>
    public IReadOnlyList<string> Validate()
    {
        var wrong = new List<string>();
        if (string.IsNullOrWhiteSpace(DataFolder))
            wrong.Add("the data folder is empty: name a folder in which the node keeps its key and its tasks");
        if (JoinToken is not null && !Contracts.Wire.JoinToken.TryDecode(JoinToken, out _))
            wrong.Add("the join token is not one: expected text that starts with 'cairn1.'; make one with 'cairn node token'");
        if (Server is not null && !Contracts.Wire.JoinToken.TrySplitServer(Server, out _, out _))
            wrong.Add($"the server '{Server}' is not host:port");
        if (HeartbeatSeconds is < 1 or > 300)
            wrong.Add($"heartbeat seconds are {HeartbeatSeconds}: expected 1 to 300");
        if (LogBytesPerTask < 64 * 1024)
            wrong.Add($"log bytes per task are {LogBytesPerTask}: expected at least 65536");
        if (CacheBytes < 0 || DiskReserveBytes < 0)
            wrong.Add("cache bytes and disk reserve must not be negative");
        if (CheckpointDays is < 0 or > 3650)
            wrong.Add($"checkpoint days are {CheckpointDays}: expected 0 to 3650");
        if (DiskCheckSeconds is < 1 or > 3600)
            wrong.Add($"disk check seconds are {DiskCheckSeconds}: expected 1 to 3600");
        if (TunnelStreams is < 0 or > 100_000)
            wrong.Add($"tunnel streams are {TunnelStreams}: expected 0 to 100000");
        if (Simulate is not null && DeclaredDevices.TryParse(Simulate, out var problem) is null)
            wrong.Add(problem!);
        if (string.IsNullOrWhiteSpace(TaskUser))
            wrong.Add("the task user is empty: expected auto, self, a user's name or its number");
        return wrong;
    }
}
