using System.Collections.Concurrent;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Node.Facts;
using Cairn.Node.Link;
using Cairn.Node.Tasks;
using Microsoft.Extensions.Logging;

namespace Cairn.Node;

/// <summary>What the daemon has to tell of itself.</summary>
/// <param name="Inventory">Told after each handshake: it may have changed since the node joined.</param>
/// <param name="Declaration">Null where the server knows it.</param>
internal sealed record NodeNews(long BootEpoch, string Version, Inventory Inventory, Declaration? Declaration);

/// <summary>Hands what the server says to the task it is for, and says what the node is and holds.</summary>
internal sealed partial class LinkEvents(NodeSurroundings node, TaskTable table, NodeNews news) : ILinkEvents
{
    private readonly ConcurrentQueue<long> _beats = new();
    private (long Busy, long Total) _cpu = MachineFacts.CpuTicks();
    private Declaration? _untold = news.Declaration;
    private long _answered;

    public Hello MakeHello()
    {
        var hello = new Hello { DaemonVersion = news.Version, BootEpoch = news.BootEpoch };
        hello.Tasks.Add(table.All.Select(task => task.Held()));
        return hello;
    }

    /// <summary>The machine was measured, which takes a moment after the start.</summary>
    public void Measured(Benchmark benchmark)
    {
        news.Inventory.Benchmark = benchmark;
        node.Link.Send(new NodeMessage { Inventory = news.Inventory.Clone() });
    }

    public void Attached(Welcome welcome)
    {
        _beats.Clear();
        foreach (var taskId in welcome.ForgetTasks)
            table.Drop(taskId);
        node.Link.Send(new NodeMessage { Inventory = news.Inventory.Clone() });
        if (Interlocked.Exchange(ref _untold, null) is { } told)
            node.Link.Send(new NodeMessage { Declaration = told });
        foreach (var task in table.All)
            task.Reattached();
    }

    public NodeMessage MakeHeartbeat()
    {
        _beats.Enqueue(node.Clock.GetTimestamp());
        var (before, now) = (_cpu, MachineFacts.CpuTicks());
        _cpu = now;
        var heartbeat = new Heartbeat
        {
            CpuBusy = now.Total > before.Total ? Math.Clamp((now.Busy - before.Busy) / (double)(now.Total - before.Total), 0, 1) : 0,
            MemoryUsedBytes = MachineFacts.MemoryUsed(),
            DiskFreeBytes = MachineFacts.FreeDisk(node.WorkRoot),
        };
        heartbeat.Tasks.Add(table.All.Where(task => task.IsLive).Select(task => task.Id));
        return new NodeMessage { Heartbeat = heartbeat };
    }

    public void Received(ServerMessage message)
    {
        switch (message.BodyCase)
        {
            case ServerMessage.BodyOneofCase.Start:
                table.Start(message.Start);
                break;
            case ServerMessage.BodyOneofCase.Begin:
                table.Find(message.Begin.TaskId, message.Begin.Epoch)?.Begin(message.Begin);
                break;
            case ServerMessage.BodyOneofCase.Stop:
                Stop(message.Stop);
                break;
            case ServerMessage.BodyOneofCase.ReportAck when message.ReportAck.Stale:
                if (table.Find(message.ReportAck.TaskId, message.ReportAck.Epoch) is { } stale)
                    stale.Drop();
                break;
            case ServerMessage.BodyOneofCase.ReportAck:
                table.Find(message.ReportAck.TaskId, message.ReportAck.Epoch)?.Acknowledge(message.ReportAck);
                break;
            case ServerMessage.BodyOneofCase.LogAck:
                table.Find(message.LogAck.TaskId, message.LogAck.Epoch)?.Acknowledge(message.LogAck);
                break;
            case ServerMessage.BodyOneofCase.OutputAck:
                table.Find(message.OutputAck.TaskId, message.OutputAck.Epoch)?.Acknowledge(message.OutputAck);
                break;
            case ServerMessage.BodyOneofCase.PeersChanged:
                table.Find(message.PeersChanged.TaskId, message.PeersChanged.Epoch)?.ChangePeers(message.PeersChanged);
                break;
            case ServerMessage.BodyOneofCase.Renewal:
                Renew(message.Renewal.TaskIds);
                break;
            case ServerMessage.BodyOneofCase.HeartbeatAck:
                _answered = _beats.TryDequeue(out var sent) ? sent : _answered;
                break;
            default:
                LogUnknown(node.Logger, message.BodyCase);
                break;
        }
    }

    private void Stop(StopTask stop) =>
        table.Find(stop.TaskId, stop.Epoch)?.Stop(new StopOrder(
            stop.Reason.Length > 0 ? stop.Reason : EndReasons.Stopped, "", Math.Max(0, stop.GraceSeconds)));

    /// <summary>
    /// Leases go on from when the heartbeat was sent that the server answers here: each is answered in order, first by an acknowledgement,
    /// then by the renewal of those of its tasks whose lease goes on.
    /// </summary>
    private void Renew(IReadOnlyCollection<string> taskIds)
    {
        node.Leases.Renew(taskIds, _answered);
        foreach (var task in table.All.Where(task => taskIds.Contains(task.Id)))
            task.Renew(_answered);
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The control plane sent {Kind}, which this daemon does not know")]
    private static partial void LogUnknown(ILogger logger, ServerMessage.BodyOneofCase kind);
}
