using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Threading.Channels;
using Cairn.Contracts.Tunnels;
using Cairn.Contracts.Wire;
using Google.Protobuf;

namespace Cairn.Node.Tests.Harness;

/// <summary>What a control plane knows of one task.</summary>
internal sealed class SeenTask
{
    private readonly MemoryStream _log = new();

    public List<TaskReport> Reports { get; } = [];

    public List<TaskOutput> Outputs { get; } = [];

    /// <summary>Chunks that began behind what was there.</summary>
    public int Gaps { get; private set; }

    public long LogLength
    {
        get
        {
            lock (_log)
                return _log.Length;
        }
    }

    public TaskReport? End
    {
        get
        {
            lock (Reports)
                return Reports.FirstOrDefault(r => r.Phase == TaskPhase.Ended);
        }
    }

    public bool Has(TaskPhase phase)
    {
        lock (Reports)
            return Reports.Any(r => r.Phase == phase);
    }

    /// <summary>Takes a report once; its sequence must be the next one.</summary>
    public void Take(TaskReport report)
    {
        lock (Reports)
        {
            if (report.Sequence <= Reports.Count)
                return;
            Assert.Equal(Reports.Count + 1, report.Sequence);
            Reports.Add(report);
        }
    }

    /// <summary>Takes what is new of a chunk; a gap is the node's mistake.</summary>
    public long Take(LogChunk chunk)
    {
        lock (_log)
        {
            if (chunk.Offset > _log.Length)
            {
                Gaps++;
                return _log.Length;
            }
            var skip = (int)(_log.Length - chunk.Offset);
            if (skip < chunk.Data.Length)
                _log.Write(chunk.Data.Span[skip..]);
            return _log.Length;
        }
    }

    public List<LogRecord> Records()
    {
        byte[] all;
        lock (_log)
            all = _log.ToArray();
        var records = new List<LogRecord>();
        var rest = all.AsMemory();
        while (LogRecord.TryRead(rest, out var record, out var used))
        {
            records.Add(record);
            rest = rest[used..];
        }
        Assert.Equal(0, rest.Length);
        return records;
    }

    /// <summary>The bytes of one stream, as the task wrote them.</summary>
    public byte[] Bytes(LogStream stream = LogStream.Out)
    {
        var bytes = new MemoryStream();
        foreach (var record in Records().Where(r => r.Stream == stream))
        {
            bytes.Write(record.Text.Span);
            if (!record.IsPartial)
                bytes.WriteByte((byte)'\n');
        }
        return bytes.ToArray();
    }

    public string Text(LogStream stream = LogStream.Out) => Encoding.UTF8.GetString(Bytes(stream));
}

/// <summary>The memory of a control plane, which outlives its server.</summary>
internal sealed class TestFleet : IDisposable
{
    private readonly ConcurrentDictionary<string, SeenTask> _tasks = new();
    private readonly Lock _gate = new();
    private Channel<ServerMessage>? _outbound;

    public TestAuthority Authority { get; } = new();

    public ConcurrentDictionary<string, byte[]> Blobs { get; } = new();

    public ConcurrentQueue<Hello> Hellos { get; } = new();

    public ConcurrentQueue<string> Fetched { get; } = new();

    public ConcurrentQueue<string> Stored { get; } = new();

    public ConcurrentQueue<(string Problem, string What)> Faults { get; } = new();

    public ByteString? PublicKey { get; set; }

    public string NodeId { get; } = Guid.CreateVersion7().ToString();

    public JoinRequest? Joined { get; set; }

    public Inventory? LastInventory { get; set; }

    public Declaration? LastDeclaration { get; set; }

    public byte[] Session { get; set; } = [];

    /// <summary>The tunnel that the node holds open; null where it holds none.</summary>
    public TunnelMux? Tunnel { get; set; }

    public int HeartbeatSeconds { get; set; } = 1;

    public bool AnswersHeartbeats { get; set; } = true;

    public bool RenewsLeases { get; set; } = true;

    /// <summary>One chunk of a log is dropped without a word, as for a task that the server does not know yet.</summary>
    public bool LosesNextChunk { get; set; }

    public bool AcknowledgesReports { get; set; } = true;

    public bool AcknowledgesLogs { get; set; } = true;

    public bool RefusesNode { get; set; }

    public List<string> Forget { get; } = [];

    public int Heartbeats;

    public Heartbeat? LastHeartbeat { get; set; }

    /// <summary>Ends of commands that the node did not take.</summary>
    public ConcurrentQueue<TaskReport> Refusals { get; } = new();

    public void ForgetTask(string id) => _tasks.TryRemove(id, out _);

    public bool IsAttached => _outbound is not null;

    public SeenTask Task(string id) => _tasks.GetOrAdd(id, _ => new SeenTask());

    public void Attach(Channel<ServerMessage> outbound)
    {
        lock (_gate)
            _outbound = outbound;
    }

    public void Detach(Channel<ServerMessage> outbound)
    {
        lock (_gate)
        {
            if (_outbound == outbound)
                _outbound = null;
        }
    }

    public void Send(ServerMessage message)
    {
        lock (_gate)
            (_outbound ?? throw new InvalidOperationException("no node is attached")).Writer.TryWrite(message);
    }

    public FileManifest Manifest(params (string Path, string Content)[] files)
    {
        var manifest = new FileManifest();
        foreach (var (path, content) in files)
            manifest.Files.Add(Entry(path, Encoding.UTF8.GetBytes(content)));
        return manifest;
    }

    public FileEntry Entry(string path, byte[] content, uint mode = 0x1a4)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(content));
        Blobs[hash] = content;
        return new FileEntry { Path = path, Hash = hash, SizeBytes = content.Length, Mode = mode };
    }

    public string Content(FileManifest manifest, string path) =>
        Encoding.UTF8.GetString(Blobs[manifest.Files.Single(f => f.Path == path).Hash]);

    public void Dispose() => Authority.Dispose();
}
