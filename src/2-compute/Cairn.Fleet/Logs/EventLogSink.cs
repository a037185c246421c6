using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Wire;
using Cairn.State;

namespace Cairn.Fleet.Logs;

/// <summary>
/// Lines as server-sent events: <c>id</c> is the cursor, <c>data</c> a <see cref="LogLineView"/>; an event named <c>end</c> is the last. A
/// cursor names every log of the job, so for jobs of very many ranks only some lines get a new one: such a reader, taken up again, may see
/// the lines since the last one twice, and none never.
/// </summary>
internal sealed class EventLogSink(PipeWriter body) : ILogSink
{
    private const int FlushBytes = 32 * 1024;
    private const int PartsWithCursorEach = 32;
    private const int LinesPerCursor = 128;
    private string _cursor = "";
    private int _linesSinceCursor = LinesPerCursor;

    public async ValueTask BeginAsync(CancellationToken cancellationToken) => await KeepAliveAsync(cancellationToken);

    public async ValueTask WriteAsync(LogPart part, LogRecord record, LogCursor after, CancellationToken cancellationToken)
    {
        if (after.Parts <= PartsWithCursorEach || ++_linesSinceCursor >= LinesPerCursor)
        {
            _cursor = after.Encode();
            _linesSinceCursor = 0;
        }
        var line = new LogLineView(
            Micros.ToTime(Math.Clamp(record.UnixMicros, 0, s_latest)), part.Attempt, part.Rank, WordOf(record.Stream),
            Encoding.UTF8.GetString(record.Text.Span), _cursor, record.IsPartial ? true : null);
        WriteEvent(line);
        if (body.UnflushedBytes >= FlushBytes)
            await body.FlushAsync(cancellationToken);
    }

    public async ValueTask FlushAsync(LogCursor after, CancellationToken cancellationToken)
    {
        if (_linesSinceCursor > 0)
        {
            _cursor = after.Encode();
            _linesSinceCursor = 0;
            body.Write(Encoding.ASCII.GetBytes($"id: {_cursor}\n\n"));
        }
        await body.FlushAsync(cancellationToken);
    }

    public async ValueTask KeepAliveAsync(CancellationToken cancellationToken)
    {
        body.Write(": \n\n"u8);
        await body.FlushAsync(cancellationToken);
    }

    public async ValueTask EndAsync(CancellationToken cancellationToken)
    {
        body.Write("event: end\ndata: {}\n\n"u8);
        await body.FlushAsync(cancellationToken);
    }

    private static readonly long s_latest = Micros.Of(DateTimeOffset.MaxValue);

    private void WriteEvent(LogLineView line)
    {
        body.Write("id: "u8);
        body.Write(Encoding.ASCII.GetBytes(line.Cursor));
        body.Write("\ndata: "u8);
        body.Write(JsonSerializer.SerializeToUtf8Bytes(line, ApiJson.Compact));
        body.Write("\n\n"u8);
    }

    private static string WordOf(LogStream stream) => stream switch
    {
        LogStream.Out => "stdout",
        LogStream.Error => "stderr",
        _ => "system",
    };
}
