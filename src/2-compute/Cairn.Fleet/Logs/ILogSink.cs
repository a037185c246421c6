using Cairn.Contracts.Wire;

namespace Cairn.Fleet.Logs;

/// <summary>How lines are written to a reader: as server-sent events or as plain text.</summary>
internal interface ILogSink
{
    /// <summary>Tells the reader that the answer has begun, lines or not.</summary>
    ValueTask BeginAsync(CancellationToken cancellationToken);

    /// <param name="part">Whose line it is.</param>
    /// <param name="record">The line; its text is good only during the call.</param>
    /// <param name="after">Where the reader is after it.</param>
    /// <param name="cancellationToken">Gives up.</param>
    ValueTask WriteAsync(LogPart part, LogRecord record, LogCursor after, CancellationToken cancellationToken);

    /// <summary>Sends what was written.</summary>
    ValueTask FlushAsync(LogCursor after, CancellationToken cancellationToken);

    /// <summary>Shows proxies, and this server, that the other side is there.</summary>
    ValueTask KeepAliveAsync(CancellationToken cancellationToken);

    /// <summary>Everything was delivered.</summary>
    ValueTask EndAsync(CancellationToken cancellationToken);
}
