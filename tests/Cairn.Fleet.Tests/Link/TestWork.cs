using System.Collections.Concurrent;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Link;
using Cairn.Fleet.Logs;
using Microsoft.AspNetCore.Http;

namespace Cairn.Fleet.Tests.Link;

/// <summary>The jobs behind the link, as far as a test needs them: it remembers what came, and acknowledges at once.</summary>
internal sealed class TestWork : INodeWork
{
    public ConcurrentQueue<(NodeId Node, TaskReport Report)> Reports { get; } = new();

    public ConcurrentDictionary<(NodeId Node, TaskId Task, long Epoch), TaskLogKey> Logs { get; } = new();

    public ConcurrentDictionary<(NodeId Node, TaskId Task, string Hash), bool> Readable { get; } = new();

    public ConcurrentDictionary<(NodeId Node, TaskId Task), bool> Writers { get; } = new();

    public ConcurrentDictionary<NodeId, NodeTaskView> Running { get; } = new();

    public Func<NodeId, IReadOnlyList<HeldTask>, Task<NodeReplay>> Replay { get; set; } = (_, _) => Task.FromResult(NodeReplay.Nothing);

    public Task<NodeReplay> ReplayAsync(NodeId node, IReadOnlyList<HeldTask> held, CancellationToken cancellationToken) =>
        Replay(node, held);

    public ValueTask AcceptReportAsync(NodeId node, TaskReport report, NodeSession session, CancellationToken cancellationToken)
    {
        Reports.Enqueue((node, report));
        session.Send(new ServerMessage { ReportAck = new ReportAck { TaskId = report.TaskId, Epoch = report.Epoch,
            Sequence = report.Sequence } });
        return ValueTask.CompletedTask;
    }

    public ValueTask AcceptOutputAsync(NodeId node, TaskOutput output, NodeSession session, CancellationToken cancellationToken) =>
        ValueTask.CompletedTask;

    public IReadOnlyList<string> Renew(NodeId node, IReadOnlyList<string> taskIds) => taskIds;

    public ValueTask<TaskLogKey?> FindLogAsync(NodeId node, TaskId task, long epoch, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Logs.TryGetValue((node, task, epoch), out var key) ? key : (TaskLogKey?)null);

    public ValueTask<bool> MayReadBlobAsync(NodeId node, TaskId task, string hash, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Readable.ContainsKey((node, task, hash)));

    public ValueTask<bool> MayWriteBlobAsync(NodeId node, TaskId task, CancellationToken cancellationToken) =>
        ValueTask.FromResult(Writers.ContainsKey((node, task)));

    public ValueTask<IReadOnlyList<NodeTaskView>> TasksOnAsync(NodeId node, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<NodeTaskView>>(Running.TryGetValue(node, out var task) ? [task] : []);

    public ConcurrentDictionary<TaskId, NodeId> Services { get; } = new();

    public ValueTask<NodeId?> NodeOfAsync(TaskId task, CancellationToken cancellationToken) => new(Services.TryGetValue(task, out var node) ? node : null);

    public NodeUse UseOf(NodeId node) => Running.ContainsKey(node) ? new NodeUse(1, 2, 1 << 30, 0) : default;
}

/// <summary>The jobs whose logs can be read, as a test sets them.</summary>
internal sealed class TestJobs : IJobLogs
{
    private readonly ConcurrentDictionary<string, JobLogs> _byName = new();
    private int _lookups;

    /// <summary>How often a reader has asked for a job again.</summary>
    public int Lookups => Volatile.Read(ref _lookups);

    public void Set(string name, JobLogs job) => _byName[name] = job;

    public ValueTask<JobLogs?> FindAsync(string job, HttpContext request, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_byName.GetValueOrDefault(job));

    public ValueTask<JobLogs?> FindAsync(JobId job, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _lookups);
        return ValueTask.FromResult(_byName.Values.FirstOrDefault(j => j.Job == job));
    }
}
