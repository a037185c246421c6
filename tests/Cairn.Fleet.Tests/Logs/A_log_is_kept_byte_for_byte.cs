using System.Buffers;
using System.Text;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Link;
using Cairn.Fleet.Logs;
using CsCheck;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Fleet.Tests.Logs;

public sealed class A_log_is_kept_byte_for_byte : IDisposable
{
    private readonly LogOptions _options = new() { Folder = Directory.CreateTempSubdirectory("cairn-logs-").FullName };
    private readonly FakeTimeProvider _time = new(DateTimeOffset.UtcNow);

    public void Dispose() => Directory.Delete(_options.Folder, recursive: true);

    /// <summary>
    /// A node sends pieces of its log; some arrive twice, some never, the server is started anew in between; the node goes back to what
    /// each acknowledgement says. In the end the file is the log.
    /// </summary>
    [Fact]
    public void However_often_pieces_come_twice_are_lost_or_the_server_restarts() =>
        Gen.Select(Gen.String[Gen.Char.AlphaNumeric, 0, 40].Array[1, 60], Gen.Select(Gen.Int[0, 59], Gen.Int[1, 10], Gen.Int[0, 4])
            .Array[0, 60]).Sample((texts, sends) =>
        {
            var log = Records(texts);
            var starts = Starts(log);
            var key = new TaskLogKey(JobId.New(_time.GetUtcNow()), 1, 0);
            var files = new LogFiles(_options);
            long kept = 0;
            foreach (var (from, count, what) in sends)
            {
                var ingest = new LogIngest(files, new LogFollowers(), _time);
                var (first, last) = (from % texts.Length, Math.Min(from % texts.Length + count, texts.Length));
                var before = kept;
                kept = ingest.Append(key, starts[first], log[(int)starts[first]..(int)starts[last]]);
                if (kept < before || (starts[first] <= before && kept != Math.Max(before, starts[last]))
                    || (starts[first] > before && kept != before))
                    return false;
                if (what == 0)
                {
                    files.Dispose();
                    files = new LogFiles(_options);
                }
            }
            kept = new LogIngest(files, new LogFollowers(), _time).Append(key, kept, log[(int)kept..]);
            files.Dispose();
            return kept == log.Length && File.ReadAllBytes(files.PathOf(key)).AsSpan().SequenceEqual(log.Span);
        }, iter: 150);

    [Fact]
    public void Half_a_record_that_a_power_cut_left_is_cut_off_and_asked_for_again()
    {
        var log = Records(["one", "two", "three"]);
        var starts = Starts(log);
        using var files = new LogFiles(_options);
        var key = new TaskLogKey(JobId.New(_time.GetUtcNow()), 1, 0);
        Directory.CreateDirectory(files.FolderOf(key.Job));
        File.WriteAllBytes(files.PathOf(key), log[..(int)(starts[2] - 2)].ToArray());
        var ingest = new LogIngest(files, new LogFollowers(), _time);
        Assert.Equal(starts[1], ingest.Append(key, starts[2], log[(int)starts[2]..]));
        Assert.Equal(log.Length, ingest.Append(key, starts[1], log[(int)starts[1]..]));
        Assert.Equal(log.ToArray(), File.ReadAllBytes(files.PathOf(key)));
    }

    [Fact]
    public void At_its_limit_a_log_says_so_and_takes_no_more_but_lets_the_node_go_on()
    {
        _options.MaxTaskBytes = 64 << 10;
        var log = Records([.. Enumerable.Range(0, 5000).Select(i => $"line {i}")]);
        using var files = new LogFiles(_options);
        var ingest = new LogIngest(files, new LogFollowers(), _time);
        var key = new TaskLogKey(JobId.New(_time.GetUtcNow()), 1, 0);
        Assert.Equal(log.Length, ingest.Append(key, 0, log));
        Assert.Equal(log.Length + 5, ingest.Append(key, log.Length, new byte[5]));
        var kept = File.ReadAllBytes(files.PathOf(key));
        Assert.InRange(kept.Length, _options.MaxTaskBytes, _options.MaxTaskBytes + 200);
        var last = Encoding.UTF8.GetString(kept).TrimEnd('\n').Split('\n')[^1];
        Assert.Contains("reached its limit of 65536 bytes", last, StringComparison.Ordinal);
        Assert.True(LogRecord.TryRead(Encoding.UTF8.GetBytes(last + "\n"), out var record, out _) && record.Stream == LogStream.System);
    }

    [Fact]
    public void More_logs_than_files_may_be_open_are_all_kept()
    {
        _options.OpenFiles = 16;
        using var files = new LogFiles(_options);
        var ingest = new LogIngest(files, new LogFollowers(), _time);
        var job = JobId.New(_time.GetUtcNow());
        var log = Records(["a", "b", "c"]);
        var starts = Starts(log);
        for (var record = 0; record < 3; record++)
        {
            for (var rank = 0; rank < 100; rank++)
                Assert.Equal(starts[record + 1],
                    ingest.Append(new TaskLogKey(job, 1, rank), starts[record], log[(int)starts[record]..(int)starts[record + 1]]));
        }
        Assert.All(Enumerable.Range(0, 100), rank =>
            Assert.Equal(log.ToArray(), File.ReadAllBytes(files.PathOf(new TaskLogKey(job, 1, rank)))));
    }

    [Fact]
    public async Task Old_logs_and_then_the_longest_quiet_ones_are_deleted()
    {
        _options.MaxTotalBytes = 1 << 20;
        using var files = new LogFiles(_options);
        var ingest = new LogIngest(files, new LogFollowers(), _time);
        var now = _time.GetUtcNow();
        var (ancient, quiet, young) = (Write(40), Write(2), Write(0));
        await new LogRetention(files, _options, _time, NullLogger<LogRetention>.Instance).SweepAsync(TestContext.Current.CancellationToken);
        Assert.Empty(files.Of(ancient));
        Assert.Empty(files.Of(quiet));
        Assert.Single(files.Of(young));

        JobId Write(int daysAgo)
        {
            var key = new TaskLogKey(JobId.New(now), 1, 0);
            ingest.Append(key, 0, Records([.. Enumerable.Repeat(new string('x', 1000), 700)]));
            File.SetLastWriteTimeUtc(files.PathOf(key), now.UtcDateTime.AddDays(-daysAgo));
            return key.Job;
        }
    }

    internal static ReadOnlyMemory<byte> Records(IReadOnlyList<string> texts, long firstMicros = 1_000_000)
    {
        var log = new ArrayBufferWriter<byte>();
        for (var i = 0; i < texts.Count; i++)
            LogRecord.Write(log, firstMicros + i, LogStream.Out, false, Encoding.UTF8.GetBytes(texts[i]));
        return log.WrittenMemory;
    }

    /// <summary>Where each record begins, and the end of all.</summary>
    internal static long[] Starts(ReadOnlyMemory<byte> log)
    {
        var starts = new List<long> { 0 };
        for (var at = 0; LogRecord.TryRead(log[at..], out _, out var length); at += length)
            starts.Add(at + length);
        return [.. starts];
    }
}
