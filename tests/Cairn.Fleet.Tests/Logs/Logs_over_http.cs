using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Wire;
using Cairn.Fleet.Link;
using Cairn.Fleet.Logs;
using Cairn.Fleet.Tests.Link;
using Google.Protobuf;

namespace Cairn.Fleet.Tests.Logs;

public sealed class Logs_over_http : IAsyncLifetime
{
    private readonly JobId _job = JobId.New(DateTimeOffset.UtcNow);
    private LinkServer _server = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await LinkServer.StartAsync();
        _server.Jobs.Set("train", new JobLogs(_job, false, [new(1, 0, false, null), new(1, 1, false, null)]));
    }

    public async ValueTask DisposeAsync() => await _server.DisposeAsync();

    [Fact]
    public async Task As_text_one_rank_is_the_tasks_own_bytes_and_several_are_told_apart()
    {
        Append(0, A_log_is_kept_byte_for_byte.Records(["a1", "a2"], 10));
        Append(1, A_log_is_kept_byte_for_byte.Records(["b1"], 10));
        Assert.Equal("a1\na2\n", await _server.Http.GetStringAsync("jobs/train/logs?rank=0", Token));
        Assert.Equal("[0] a1\n[1] b1\n[0] a2\n", await _server.Http.GetStringAsync("jobs/train/logs", Token));
        Assert.Equal("a2\n", await _server.Http.GetStringAsync("jobs/train/logs?rank=0&tail=1", Token));
        Assert.Equal("", await _server.Http.GetStringAsync("jobs/train/logs?attempt=2", Token));
    }

    [Fact]
    public async Task What_is_not_understood_is_refused_in_words()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await _server.Http.GetAsync("jobs/nothing/logs", Token)).StatusCode);
        foreach (var query in new[] { "since=yesterday", "tail=-1", "tail=100001", "rank=-1", "cursor=!!" })
        {
            var answer = await _server.Http.GetAsync("jobs/train/logs?" + query, Token);
            Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
            Assert.Contains(query.Split('=')[0], await answer.Content.ReadAsStringAsync(Token), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Without_following_the_events_end_after_what_is_there()
    {
        Append(0, A_log_is_kept_byte_for_byte.Records(["one", "two"]));
        var events = await AllAsync("jobs/train/logs", null);
        Assert.Equal(["one", "two"], events.Lines.Select(line => line.Text));
        Assert.True(events.Ended);
        var rest = await AllAsync("jobs/train/logs", events.Lines[0].Cursor);
        Assert.Equal(["two"], rest.Lines.Select(line => line.Text));
    }

    [Fact]
    public async Task A_follower_gets_lines_as_they_come_and_the_end_when_all_are_delivered()
    {
        var first = A_log_is_kept_byte_for_byte.Records(["one"]);
        var second = A_log_is_kept_byte_for_byte.Records(["two", "three"]);
        Append(0, first);
        await using var follower = await FollowAsync("jobs/train/logs?follow=true&rank=0");
        Assert.Equal("one", (await follower.NextAsync())!.Text);
        _server.Get<LogIngest>().Append(new TaskLogKey(_job, 1, 0), first.Length, second);
        Assert.Equal("two", (await follower.NextAsync())!.Text);
        Assert.Equal("three", (await follower.NextAsync())!.Text);

        // The job ends before its last bytes are here; they are waited for.
        var last = A_log_is_kept_byte_for_byte.Records(["four"]);
        var all = first.Length + second.Length + last.Length;
        _server.Jobs.Set("train", new JobLogs(_job, true, [new(1, 0, true, all), new(1, 1, true, 0)]));
        _server.Get<LogFollowers>().Wake(_job);
        _server.Get<LogIngest>().Append(new TaskLogKey(_job, 1, 0), first.Length + second.Length, last);
        Assert.Equal("four", (await follower.NextAsync())!.Text);
        Assert.Null(await follower.NextAsync());
        await Eventually.HoldsAsync(() => _server.Get<LogFollowers>().Count == 0, "the follower has left");
    }

    [Fact]
    public async Task A_follower_of_a_job_whose_machine_died_is_let_go_after_a_while()
    {
        _server.LogOptions.EndGraceSeconds = 1;
        _server.Jobs.Set("train", new JobLogs(_job, true, [new(1, 0, true, 1000)]));
        await using var follower = await FollowAsync("jobs/train/logs?follow=true");
        Assert.Null(await follower.NextAsync());
    }

    [Fact]
    public async Task Who_reads_the_log_of_an_ended_job_gets_all_of_it_though_the_end_came_first()
    {
        var first = A_log_is_kept_byte_for_byte.Records(["one"]);
        var last = A_log_is_kept_byte_for_byte.Records(["two"]);
        Append(0, first);
        _server.Jobs.Set("train", new JobLogs(_job, true, [new(1, 0, true, first.Length + last.Length)]) { EndedAt = DateTimeOffset.UtcNow });
        var read = _server.Http.GetStringAsync("jobs/train/logs", Token);
        await Eventually.HoldsAsync(() => _server.Get<LogFollowers>().Count == 1, "the reader waits");
        _server.Get<LogIngest>().Append(new TaskLogKey(_job, 1, 0), first.Length, last);
        Assert.Equal("one\ntwo\n", await read);

        // What never came is not waited for long after.
        _server.Jobs.Set("train", new JobLogs(_job, true, [new(1, 0, true, 1000)]) { EndedAt = DateTimeOffset.UtcNow.AddHours(-1) });
        Assert.Equal("one\ntwo\n", await _server.Http.GetStringAsync("jobs/train/logs", Token));
    }

    [Fact]
    public async Task A_follower_sees_ranks_and_attempts_that_began_later()
    {
        await using var follower = await FollowAsync("jobs/train/logs?follow=true");
        Append(1, A_log_is_kept_byte_for_byte.Records(["from rank 1"]));
        Assert.Equal(1, (await follower.NextAsync())!.Rank);
        _server.Get<LogIngest>().Append(new TaskLogKey(_job, 2, 7), 0, A_log_is_kept_byte_for_byte.Records(["again"]));
        var line = await follower.NextAsync();
        Assert.Equal((2, 7, "again"), (line!.Attempt, line.Rank, line.Text));
    }

    [Fact]
    public async Task A_line_goes_from_the_node_to_the_reader_in_a_moment()
    {
        using var channel = _server.Connect();
        using var node = await TestNode.JoinAsync(channel, await _server.TokenAsync());
        var task = TaskId.New(DateTimeOffset.UtcNow);
        _server.Work.Logs[(node.Id, task, 1)] = new TaskLogKey(_job, 1, 0);
        await using var stream = new TestStream(channel);
        await stream.AttachAsync(node);
        await using var follower = await FollowAsync("jobs/train/logs?follow=true");
        var took = new List<double>();
        long offset = 0;
        for (var i = 0; i < 200; i++)
        {
            var data = A_log_is_kept_byte_for_byte.Records([$"line {i}"]);
            var start = Stopwatch.GetTimestamp();
            await stream.SendAsync(node, new NodeMessage
            {
                Log = new LogChunk { TaskId = task.ToString(), Epoch = 1, Offset = offset, Data = ByteString.CopyFrom(data.Span) },
            });
            offset += data.Length;
            Assert.Equal($"line {i}", (await follower.NextAsync())!.Text);
            took.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            Assert.Equal(offset, (await stream.NextAsync()).LogAck.Offset);
        }
        took.Sort();
        TestContext.Current.SendDiagnosticMessage($"node to reader: p50 {took[100]:F2} ms, p99 {took[198]:F2} ms");
    }

    [Fact]
    public async Task A_gap_or_a_stranger_s_chunk_changes_nothing()
    {
        using var channel = _server.Connect();
        using var node = await TestNode.JoinAsync(channel, await _server.TokenAsync());
        var (task, other) = (TaskId.New(DateTimeOffset.UtcNow), TaskId.New(DateTimeOffset.UtcNow));
        _server.Work.Logs[(node.Id, task, 1)] = new TaskLogKey(_job, 1, 0);
        await using var stream = new TestStream(channel);
        await stream.AttachAsync(node);
        await stream.SendAsync(node, Chunk(other, 1, 0, "not mine"));
        await stream.SendAsync(node, Chunk(task, 2, 0, "of another epoch"));
        await stream.SendAsync(node, Chunk(task, 1, 500, "beyond a gap"));
        var ack = (await stream.NextAsync()).LogAck;
        Assert.Equal((task.ToString(), 0), (ack.TaskId, ack.Offset));
        Assert.Equal("", await _server.Http.GetStringAsync("jobs/train/logs", Token));
    }

    [Fact]
    public async Task A_line_in_pieces_is_marked_and_reads_whole_as_text()
    {
        var log = new System.Buffers.ArrayBufferWriter<byte>();
        LogRecord.Write(log, 1, LogStream.Out, true, "50 %"u8);
        LogRecord.Write(log, 2, LogStream.Out, false, " 100 %"u8);
        LogRecord.Write(log, 3, LogStream.Error, false, "oh"u8);
        Append(0, log.WrittenMemory);
        var lines = (await AllAsync("jobs/train/logs?rank=0", null)).Lines;
        Assert.Equal([true, null, null], lines.Select(line => line.Partial));
        Assert.Equal(["stdout", "stdout", "stderr"], lines.Select(line => line.Stream));
        Assert.Equal("50 % 100 %\noh\n", await _server.Http.GetStringAsync("jobs/train/logs?rank=0", Token));
    }

    [Fact]
    public async Task A_thousand_followers_of_a_quiet_job_use_no_processor()
    {
        var followers = await Task.WhenAll(Enumerable.Range(0, 1000).Select(_ => FollowAsync("jobs/train/logs?follow=true")));
        await Eventually.HoldsAsync(() => _server.Get<LogFollowers>().Count == 1000, "all follow");
        var lookups = _server.Jobs.Lookups;
        await Task.Delay(TimeSpan.FromSeconds(1), Token);
        Assert.Equal(lookups, _server.Jobs.Lookups);
        Append(0, A_log_is_kept_byte_for_byte.Records(["hello"]));
        var lines = await Task.WhenAll(followers.Select(follower => follower.NextAsync()));
        Assert.All(lines, line => Assert.Equal("hello", line!.Text));
        foreach (var follower in followers)
            await follower.DisposeAsync();
        await Eventually.HoldsAsync(() => _server.Get<LogFollowers>().Count == 0, "all have left");
    }

    private void Append(int rank, ReadOnlyMemory<byte> data) => _server.Get<LogIngest>().Append(new TaskLogKey(_job, 1, rank), 0, data);

    private static NodeMessage Chunk(TaskId task, long epoch, long offset, string text) => new()
    {
        Log = new LogChunk
        {
            TaskId = task.ToString(), Epoch = epoch, Offset = offset,
                Data = ByteString.CopyFrom(A_log_is_kept_byte_for_byte.Records([text]).Span),
        },
    };

    private async Task<(List<LogLineView> Lines, bool Ended)> AllAsync(string path, string? lastEventId)
    {
        await using var follower = await FollowAsync(path, lastEventId);
        var lines = new List<LogLineView>();
        while (await follower.NextAsync() is { } line)
            lines.Add(line);
        return (lines, follower.Ended);
    }

    private async Task<Follower> FollowAsync(string path, string? lastEventId = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastEventId is not null)
            request.Headers.Add("Last-Event-ID", lastEventId);
        var response = await _server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        response.EnsureSuccessStatusCode();
        return new Follower(response, await response.Content.ReadAsStreamAsync(Token));
    }

    private sealed class Follower(HttpResponseMessage response, Stream body) : IAsyncDisposable
    {
        private readonly IAsyncEnumerator<SseItem<string>> _events = SseParser.Create(body)
            .EnumerateAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator();

        public bool Ended { get; private set; }

        /// <summary>The next line; null at the end.</summary>
        public async Task<LogLineView?> NextAsync()
        {
            while (await _events.MoveNextAsync().AsTask().WaitAsync(TimeSpan.FromMinutes(2)))
            {
                if (_events.Current.EventType == "end")
                {
                    Ended = true;
                    return null;
                }
                if (_events.Current.Data.Length > 0)
                    return JsonSerializer.Deserialize<LogLineView>(_events.Current.Data, ApiJson.Compact);
            }
            return null;
        }

        public async ValueTask DisposeAsync()
        {
            response.Dispose();
            await body.DisposeAsync();
        }
    }
}
