using Cairn.Contracts.Wire;
using Cairn.Node.Native;
using Cairn.Node.Processes;
using Microsoft.Extensions.Logging;

namespace Cairn.Node.Tasks;

/// <summary>
/// What the task tells the server and what the server tells it. A report is on disk before it is sent, and until it is acknowledged.
/// </summary>
internal sealed partial class NodeTask
{
    /// <summary>As the node lists it when it connects.</summary>
    public HeldTask Held() => new() { TaskId = Id, Epoch = Epoch, Phase = Phase, LogBytes = LogBytes };

    /// <summary>A new connection stands: reports in sequence, then the log from where the server has it.</summary>
    public void Reattached()
    {
        lock (_gate)
        {
            foreach (var report in _record.Reports())
                _node.Link.Send(new NodeMessage { Report = report });
            foreach (var output in _outputs.Values)
                _node.Link.Send(new NodeMessage { Output = output.Message });
        }
        _log.Reconnected();
    }

    public void Acknowledge(ReportAck ack)
    {
        lock (_gate)
        {
            var left = _record.Reports().SkipWhile(r => r.Sequence <= ack.Sequence).ToList();
            if (left.Count == _record.Unacknowledged.Count)
                return;
            _record.Unacknowledged.RemoveRange(0, _record.Unacknowledged.Count - left.Count);
            Save(durable: false);
        }
        _pulse.Set();
    }

    public void Acknowledge(LogAck ack) => _log.Acknowledge(ack.Offset);

    public void Acknowledge(OutputAck ack)
    {
        lock (_gate)
        {
            if (_outputs.Remove(ack.Name, out var output))
                output.Acknowledged.TrySetResult();
        }
    }

    public void Renew(long sentAt)
    {
        if (sentAt > Interlocked.Read(ref _renewed))
            Interlocked.Exchange(ref _renewed, sentAt);
    }

    public void Begin(BeginTask begin)
    {
        _begin = begin;
        _pulse.Set();
    }

    /// <summary>
    /// A rank was replaced. The peers file changes in one step; where the task set CAIRN_PEERS_SIGNAL, those of its processes that catch
    /// that signal get it. A process that does not catch it is left alone, since the signal would end it.
    /// </summary>
    public void ChangePeers(PeersChanged changed)
    {
        if (!Directory.Exists(_folder.Work))
            return;
        WritePeers(changed.Peers);
        var signal = _start.Env.GetValueOrDefault("CAIRN_PEERS_SIGNAL", "").ToUpperInvariant() switch
        {
            "HUP" or "SIGHUP" => Posix.SigHup,
            "USR1" or "SIGUSR1" => Posix.SigUsr1,
            "USR2" or "SIGUSR2" => Posix.SigUsr2,
            _ => 0,
        };
        if (signal == 0 || _folder.StepProcess("run") is null)
            return;
        foreach (var id in Find().Where(id => id != _folder.Supervisor()?.Id && ProcessTree.Catches(id, signal)))
            _ = Posix.Kill(id, signal);
    }

    private void Report(TaskPhase phase)
    {
        TaskReport report;
        lock (_gate)
        {
            _record.Phase = phase;
            report = MakeReport(phase);
            _record.Add(report);
            Save(durable: false);
        }
        _node.Link.Send(new NodeMessage { Report = report });
    }

    private void Finish(TaskEnd end, long logBytes)
    {
        TaskReport report;
        lock (_gate)
        {
            _record.End = end;
            _record.Phase = TaskPhase.Ended;
            report = MakeReport(TaskPhase.Ended);
            (report.EndReason, report.Message, report.LogBytes) = (end.Reason, end.Message, logBytes);
            if (end.ExitCode is { } code)
                report.ExitCode = code;
            if (end.Signal is { } signal)
                report.Signal = signal;
            _record.Add(report);
            // The end survives a loss of power: nobody could find it out again.
            Save(durable: true);
        }
        _node.Link.Send(new NodeMessage { Report = report });
        LogEnded(_node.Logger, Id, end.Reason, end.Message);
    }

    private TaskReport MakeReport(TaskPhase phase) => new()
    {
        TaskId = Id,
        Epoch = Epoch,
        Sequence = ++_record.Sequence,
        Phase = phase,
        AtUnixMicros = (_node.Clock.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond,
        ElapsedMicros = _record.RunStarted == 0 ? 0 : RunTime().Ticks / TimeSpan.TicksPerMicrosecond,
    };

    private TimeSpan RunTime() => _record.RunEnded == 0
        ? _node.Clock.GetElapsedTime(_record.RunStarted)
        : _node.Clock.GetElapsedTime(_record.RunStarted, _record.RunEnded);

    private bool HasUnacknowledged()
    {
        lock (_gate)
            return _record.Unacknowledged.Count > 0;
    }

    private void Save(bool durable)
    {
        lock (_gate)
            _record.Write(_folder.Record, durable);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Task {Task} ended: {Reason} {Message}")]
    private static partial void LogEnded(ILogger logger, string task, string reason, string message);

    [LoggerMessage(Level = LogLevel.Error, Message = "Task {Task} has processes that SIGKILL does not end; they are left behind")]
    private static partial void LogUnkillable(ILogger logger, string task);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Task {Task}: {Problem}")]
    private static partial void LogProblem(ILogger logger, string task, string problem);
}
