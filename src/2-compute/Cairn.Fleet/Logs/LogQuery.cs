using System.Globalization;
using Cairn.Contracts.Units;
using Cairn.State;

namespace Cairn.Fleet.Logs;

/// <summary>Which lines a reader wants.</summary>
/// <param name="Rank">Only this rank; null for all.</param>
/// <param name="Attempt">Only this attempt; null for all.</param>
/// <param name="SinceMicros">Only lines that the node read at this time or later.</param>
/// <param name="Tail">Begin with so many last lines; null begins at the start.</param>
/// <param name="Follow">Stay until the job has ended and everything was delivered.</param>
/// <param name="Cursor">Go on after it; then <paramref name="Tail"/> means nothing.</param>
internal sealed record LogQuery(int? Rank, int? Attempt, long SinceMicros, int? Tail, bool Follow, LogCursor? Cursor)
{
    public const int MaxTail = 100_000;

    public bool Wants(LogPart part) => (Rank is null || part.Rank == Rank) && (Attempt is null || part.Attempt == Attempt);

    /// <summary>Reads a request's words; a fault in words where one is not understood.</summary>
    public static (LogQuery? Query, string? Fault) Parse(LogRequest request, string? lastEventId, DateTimeOffset now)
    {
        if (request.Rank < 0)
            return (null, $"rank is {request.Rank}, expected 0 or more");
        if (request.Attempt < 0)
            return (null, $"attempt is {request.Attempt}, expected 0 or more");
        if (request.Tail is < 0 or > MaxTail)
            return (null, $"tail is {request.Tail}, expected 0 to {MaxTail}");
        if (!TrySince(request.Since, now, out var since))
            return (null, $"since is '{request.Since}', expected a time such as 2026-01-31T12:00:00Z or an age such as 10m");
        LogCursor? cursor = null;
        if ((lastEventId ?? request.Cursor) is { Length: > 0 } text && !LogCursor.TryDecode(text, out cursor))
            return (null, "the cursor is none that this server gave; leave it out to begin anew");
        return (new LogQuery(request.Rank, request.Attempt, since, request.Tail, request.Follow ?? false, cursor), null);
    }

    private static bool TrySince(string? text, DateTimeOffset now, out long micros)
    {
        micros = 0;
        if (string.IsNullOrEmpty(text))
            return true;
        if (Duration.TryParseSeconds(text, out var seconds))
        {
            micros = Micros.Of(now.AddSeconds(-seconds));
            return true;
        }
        var read = DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at);
        micros = read ? Micros.Of(at) : 0;
        return read;
    }
}

/// <summary>The query string of a log request.</summary>
internal sealed record LogRequest(int? Rank, int? Attempt, string? Since, int? Tail, bool? Follow, string? Cursor);
