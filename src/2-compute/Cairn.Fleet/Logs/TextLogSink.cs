using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using Cairn.Contracts.Wire;

namespace Cairn.Fleet.Logs;

/// <summary>
/// Lines as plain text. Of one rank they are the task's own bytes, unchanged; of several, each line has its rank in front.
/// </summary>
internal sealed class TextLogSink(PipeWriter body, bool withRank) : ILogSink
{
    private const int FlushBytes = 32 * 1024;

    public async ValueTask BeginAsync(CancellationToken cancellationToken) => await body.FlushAsync(cancellationToken);

    public async ValueTask WriteAsync(LogPart part, LogRecord record, LogCursor after, CancellationToken cancellationToken)
    {
        if (withRank)
            body.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"[{part.Rank}] ")));
        body.Write(record.Text.Span);
        if (withRank || !record.IsPartial)
            body.Write("\n"u8);
        if (body.UnflushedBytes >= FlushBytes)
            await body.FlushAsync(cancellationToken);
    }

    public async ValueTask FlushAsync(LogCursor after, CancellationToken cancellationToken) => await body.FlushAsync(cancellationToken);

    /// <summary>Plain text has no way to say nothing.</summary>
    public ValueTask KeepAliveAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    public async ValueTask EndAsync(CancellationToken cancellationToken) => await body.FlushAsync(cancellationToken);
}
