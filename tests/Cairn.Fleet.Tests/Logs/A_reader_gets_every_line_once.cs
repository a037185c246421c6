using System.Buffers;
using System.Text;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Link;
using Cairn.Fleet.Logs;
using Cairn.Fleet.Tests.Link;
using CsCheck;

namespace Cairn.Fleet.Tests.Logs;

/// <summary>Holds what a reader gets against a plain sort of everything that was written.</summary>
public sealed class A_reader_gets_every_line_once : IDisposable
{
    private static readonly Gen<Line[]> s_lines =
        Gen.Select(Gen.Int[1, 2], Gen.Int[0, 3], Gen.Int[0, 20], Gen.String[Gen.Char.AlphaNumeric, 0, 12])
            .Select((attempt, rank, at, text) => new Line(attempt, rank, at, text)).Array[0, 80];

    private readonly LogOptions _options = new() { Folder = Directory.CreateTempSubdirectory("cairn-logs-").FullName };

    public void Dispose() => Directory.Delete(_options.Folder, recursive: true);

    [Fact]
    public void From_the_start_or_the_tail_or_one_rank_in_merged_order() =>
        Gen.Select(s_lines, Gen.Int[-1, 90], Gen.Int[-1, 3], Gen.Int[0, 20]).Sample((lines, tail, rank, since) =>
        {
            var expected = Merged(lines).Where(line => rank < 0 || line.Rank == rank).ToArray();
            if (tail >= 0)
                expected = expected[Math.Max(0, expected.Length - tail)..];
            expected = [.. expected.Where(line => line.At >= since)];
            var query = new LogQuery(rank < 0 ? null : rank, null, since, tail < 0 ? null : tail, false, null);
            return ReadAsync(Write(lines), query).Result.Lines.SequenceEqual(expected);
        }, iter: 100);

    [Fact]
    public void Taken_up_again_after_any_line_it_goes_on_with_the_next() =>
        Gen.Select(s_lines, Gen.Int[0, 79]).Sample((lines, stop) =>
        {
            var (files, job) = Write(lines);
            var (all, cursors) = ReadAsync((files, job), new LogQuery(null, null, 0, null, false, null)).Result;
            if (all.Count == 0)
                return true;
            var at = stop % all.Count;
            Assert.True(LogCursor.TryDecode(cursors[at], out var cursor));
            var rest = ReadAsync((files, job), new LogQuery(null, null, 0, null, false, cursor)).Result.Lines;
            return rest.SequenceEqual(all.Skip(at + 1));
        }, iter: 100);

    [Fact]
    public void A_cursor_reads_back_and_anything_else_is_refused()
    {
        Gen.Select(Gen.Int[0, int.MaxValue], Gen.Int[0, int.MaxValue], Gen.Long[0, long.MaxValue]).Array[0, 40].Sample(places =>
        {
            var cursor = new LogCursor();
            foreach (var (attempt, rank, offset) in places)
                cursor[new LogPart(attempt, rank)] = offset;
            return LogCursor.TryDecode(cursor.Encode(), out var read) && read.Encode() == cursor.Encode();
        });
        Gen.String.Sample(text => LogCursor.TryDecode(text, out _) || true);
        Assert.False(LogCursor.TryDecode("!", out _));
        Assert.False(LogCursor.TryDecode("_____________w", out _));
    }

    [Fact]
    public async Task Lines_that_are_no_records_are_passed_over_and_nothing_after_them_is_lost()
    {
        using var files = new LogFiles(_options);
        var job = JobId.New(DateTimeOffset.UtcNow);
        Directory.CreateDirectory(files.FolderOf(job));
        var good = Encoding.UTF8.GetString(A_log_is_kept_byte_for_byte.Records(["one"]).Span);
        File.WriteAllText(files.PathOf(new TaskLogKey(job, 1, 0)), "nonsense\n" + good + new string('x', 100_000) + "\n" + good);
        var (read, _) = await ReadAsync((files, job), new LogQuery(null, null, 0, null, false, null));
        Assert.Equal(["one", "one"], read.Select(line => line.Text));
    }

    private (LogFiles Files, JobId Job) Write(Line[] lines)
    {
        var files = new LogFiles(_options);
        var job = JobId.New(DateTimeOffset.UtcNow);
        Directory.CreateDirectory(files.FolderOf(job));
        foreach (var part in lines.GroupBy(line => (line.Attempt, line.Rank)))
        {
            var log = new ArrayBufferWriter<byte>();
            foreach (var line in part.OrderBy(line => line.At))
                LogRecord.Write(log, line.At, LogStream.Out, false, Encoding.UTF8.GetBytes(line.Text));
            File.WriteAllBytes(files.PathOf(new TaskLogKey(job, part.Key.Attempt, part.Key.Rank)), log.WrittenSpan);
        }
        return (files, job);
    }

    private static Line[] Merged(Line[] lines) =>
        [.. lines.OrderBy(line => line.Attempt).ThenBy(line => line.At).ThenBy(line => line.Rank)];

    private static async Task<(List<Line> Lines, List<string> Cursors)> ReadAsync((LogFiles Files, JobId Job) log, LogQuery query)
    {
        var sink = new ListSink();
        var delivery = new LogDelivery(log.Files, new LogFollowers(), new TestJobs(), TimeProvider.System);
        await delivery.DeliverAsync(new JobLogs(log.Job, true, []), query, sink, TestContext.Current.CancellationToken);
        return (sink.Lines, sink.Cursors);
    }

    private sealed record Line(int Attempt, int Rank, long At, string Text);

    private sealed class ListSink : ILogSink
    {
        public List<Line> Lines { get; } = [];

        public List<string> Cursors { get; } = [];

        public ValueTask BeginAsync(CancellationToken cancellationToken) => default;

        public ValueTask WriteAsync(LogPart part, LogRecord record, LogCursor after, CancellationToken cancellationToken)
        {
            Lines.Add(new Line(part.Attempt, part.Rank, record.UnixMicros, Encoding.UTF8.GetString(record.Text.Span)));
            Cursors.Add(after.Encode());
            return default;
        }

        public ValueTask FlushAsync(LogCursor after, CancellationToken cancellationToken) => default;

        public ValueTask KeepAliveAsync(CancellationToken cancellationToken) => default;

        public ValueTask EndAsync(CancellationToken cancellationToken) => default;
    }
}
