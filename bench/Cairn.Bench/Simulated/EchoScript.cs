using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Wire;
using Google.Protobuf;

namespace Cairn.Bench.Simulated;

/// <summary>
/// Does what a real daemon does with <c>echo</c>, without the process: reports that the task prepares and runs, sends its one line of log, and a quarter of a
/// second later reports the end with the log's length: long enough that start and end are two turns of the server, and the time between is billed. A task is
/// done with when the server has acknowledged the end, which follows its commit.
/// </summary>
internal sealed class EchoScript : INodeScript, IAsyncDisposable
{
    private static readonly TimeSpan s_run = TimeSpan.FromMilliseconds(250);

    private readonly EchoCount _count;
    private readonly ConcurrentQueue<Running> _running = new();
    private readonly PeriodicTimer _timer = new(s_run / 25);
    private readonly Task _ending;

    public EchoScript(EchoCount count)
    {
        _count = count;
        _ending = EndAsync();
    }

    public void Received(SimulatedStream stream, SimulatedNode node, ServerMessage message)
    {
        switch (message.BodyCase)
        {
            case ServerMessage.BodyOneofCase.Start:
                Start(stream, node, message.Start);
                break;
            case ServerMessage.BodyOneofCase.ReportAck:
                if (message.ReportAck.Stale)
                    _count.Stale();
                else if (message.ReportAck.Sequence == EchoCount.LastReport)
                    _count.Ended();
                break;
            case ServerMessage.BodyOneofCase.LogAck:
                _count.LogKept();
                break;
        }
    }

    public async ValueTask DisposeAsync()
    {
        _timer.Dispose();
        await _ending;
    }

    private void Start(SimulatedStream stream, SimulatedNode node, StartTask start)
    {
        _count.Started(start.TaskId);
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1_000;
        stream.Send(node, new NodeMessage { Report = Report(start, 1, TaskPhase.Preparing, now, TimeSpan.Zero) });
        stream.Send(node, new NodeMessage { Report = Report(start, 2, TaskPhase.Running, now, TimeSpan.Zero) });
        var line = new ArrayBufferWriter<byte>(64);
        LogRecord.Write(line, now, LogStream.Out, isPartial: false, "hello from a simulated daemon"u8);
        stream.Send(node, new NodeMessage
        {
            Log = new LogChunk { TaskId = start.TaskId, Epoch = start.Epoch, Offset = 0, Data = ByteString.CopyFrom(line.WrittenSpan) },
        });
        _running.Enqueue(new Running(stream, node, start, line.WrittenCount, now, Stopwatch.GetTimestamp()));
    }

    private async Task EndAsync()
    {
        while (await _timer.WaitForNextTickAsync())
        {
            while (_running.TryPeek(out var first) && Stopwatch.GetElapsedTime(first.Began) >= s_run && _running.TryDequeue(out var task))
            {
                var ran = Stopwatch.GetElapsedTime(task.Began);
                var end = Report(task.Start, EchoCount.LastReport, TaskPhase.Ended, task.At + (long)ran.TotalMicroseconds, ran);
                (end.EndReason, end.ExitCode, end.LogBytes) = (EndReasons.Succeeded, 0, task.LogBytes);
                task.Stream.Send(task.Node, new NodeMessage { Report = end });
            }
        }
    }

    private static TaskReport Report(StartTask start, long sequence, TaskPhase phase, long at, TimeSpan ran) => new()
    {
        TaskId = start.TaskId, Epoch = start.Epoch, Sequence = sequence, Phase = phase, AtUnixMicros = at, ElapsedMicros = (long)ran.TotalMicroseconds,
    };

    private sealed record Running(SimulatedStream Stream, SimulatedNode Node, StartTask Start, int LogBytes, long At, long Began);
}
