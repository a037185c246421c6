using Cairn.Fleet.Link;

namespace Cairn.Fleet.Logs;

/// <summary>Finds where the last lines of all logs together begin, reading no more of each than its own last lines.</summary>
internal static class LogTail
{
    /// <summary>
    /// A cursor after which exactly the last <paramref name="lines"/> records up to the given ends follow, in merged order.
    /// </summary>
    public static async Task<LogCursor> FindAsync(
        LogFiles files, Contracts.Ids.JobId job, IReadOnlyDictionary<LogPart, long> ends, int lines, CancellationToken cancellationToken)
    {
        var last = new PriorityQueue<(LogPart Part, long Start), (int, long, int, long)>();
        foreach (var (part, end) in ends)
        {
            var start = StartOfLast(files, new TaskLogKey(job, part.Attempt, part.Rank), end, lines);
            if (files.OpenRead(new TaskLogKey(job, part.Attempt, part.Rank)) is not { } handle)
                continue;
            using var reader = new LogPartReader(handle, part, start, end);
            for (var at = start; await reader.MoveNextAsync(cancellationToken); at = reader.Next)
            {
                last.Enqueue((part, at), (part.Attempt, reader.Current.UnixMicros, part.Rank, at));
                if (last.Count > lines)
                    last.Dequeue();
            }
        }
        var cursor = new LogCursor();
        foreach (var (part, end) in ends)
            cursor[part] = end;
        foreach (var ((part, start), _) in last.UnorderedItems)
            cursor[part] = Math.Min(cursor[part], start);
        return cursor;
    }

    /// <summary>The offset of the record that has <paramref name="lines"/> − 1 records behind it before <paramref name="end"/>.</summary>
    private static long StartOfLast(LogFiles files, TaskLogKey key, long end, int lines)
    {
        if (lines == 0)
            return end;
        using var handle = files.OpenRead(key);
        if (handle is null)
            return 0;
        Span<byte> block = new byte[64 * 1024];
        // The line feed that ends the last record counts as the first one met.
        var left = lines + 1;
        for (var to = end; to > 0;)
        {
            var from = Math.Max(0, to - block.Length);
            var read = RandomAccess.Read(handle, block[..(int)(to - from)], from);
            for (var feed = block[..read].LastIndexOf((byte)'\n'); feed >= 0; feed = block[..feed].LastIndexOf((byte)'\n'))
            {
                if (--left == 0)
                    return from + feed + 1;
            }
            to = from;
        }
        return 0;
    }
}
