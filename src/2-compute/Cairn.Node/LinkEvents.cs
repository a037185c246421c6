using System.Collections.Concurrent;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Cairn.Node.Facts;
using Cairn.Node.Link;
using Cairn.Node.Tasks;
using Microsoft.Extensions.Logging;

namespace Cairn.Node;

/// <summary>Hands what the server says to the task it is for, and says what the node is and holds.</summary>
internal sealed partial class LinkEvents(
    NodeSurroundings node, TaskTable table, long bootEpoch, string version, Inventory? inventory, Declaration? declaration) : ILinkEvents
{
    private readonly ConcurrentQueue<long> _beats = new();
    private (long Busy, long Total) _cpu = MachineFacts.CpuTicks();
    private Declaration? _untold = declaration;

    public Hello MakeHello()
    {
        var hello = new Hello { DaemonVersion = version, BootEpoch = bootEpoch };
        hello.Tasks.Add(table.All.Select(task => task.Held()));
        return hello;
    }

    public void Attached(Welcome welcome, long provedAt)
    {
        _beats.Clear();
        foreach (var taskId in welcome.ForgetTasks)
            table.Drop(taskId);
        Renew(provedAt, table.All);
        // What was found may have changed since the node joined: memory, devices, the address.
        if (inventory is not null)
            node.Link.Send(new NodeMessage { Inventory = inventory });
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
        heartbeat.Tasks.Add(table.All.Where(task => task.IsRunning).Select(task => task.Id));
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
                Renew(LastAnswered(), table.All.Where(task => message.Renewal.TaskIds.Contains(task.Id)));
                break;
            case ServerMessage.BodyOneofCase.HeartbeatAck:
                Renew(LastAnswered(), table.All);
                break;
            default:
                LogUnknown(node.Logger, message.BodyCase);
                break;
        }
    }

    private void Stop(StopTask stop) =>
        table.Find(stop.TaskId, stop.Epoch)?.Stop(new StopOrder(
            stop.Reason.Length > 0 ? stop.Reason : EndReasons.Stopped, "", Math.Max(0, stop.GraceSeconds)));

    private void Renew(long sentAt, IEnumerable<NodeTask> tasks)
    {
        node.Lease.Renew(sentAt);
        foreach (var task in tasks)
            task.Renew(sentAt);
    }

    /// <summary>
    /// When the heartbeat that was now answered was sent. Heartbeats are answered in order; where the server answers only some, the oldest
    /// open one is taken, which errs on the side of a shorter lease.
    /// </summary>
    private long LastAnswered() => _beats.TryDequeue(out var sent) ? sent : node.Lease.Stamp;

    [LoggerMessage(Level = LogLevel.Warning, Message = "The control plane sent {Kind}, which this daemon does not know")]
    private static partial void LogUnknown(ILogger logger, ServerMessage.BodyOneofCase kind);
}
