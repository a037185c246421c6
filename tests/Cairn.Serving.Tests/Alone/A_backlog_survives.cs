using System.Text.Json;
using Cairn.Contracts.Api;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Units;
using Cairn.Serving.Alone;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Gateways;
using Microsoft.Extensions.Time.Testing;

namespace Cairn.Serving.Tests.Alone;

public sealed class A_backlog_survives : IDisposable
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 4, 12, 30, 0, TimeSpan.Zero);
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-backlog-").FullName;

    private string PathOf => Path.Combine(_folder, "journal");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Its_process_and_a_last_line_that_was_cut_short()
    {
        var key = SharedBudget.Key("app", 10);
        using (var journal = new Journal(PathOf))
        {
            journal.Add(new BacklogEntry { Used = new UsageReport(0, s_now, [Line(key, 3)]) });
            journal.Add(new BacklogEntry { Used = new UsageReport(0, s_now.AddMinutes(1), [Line(key, 4)]) });
            journal.Add(new BacklogEntry { Used = new UsageReport(0, s_now.AddHours(1), [Line(key, 5)]) });
            journal.Add(new BacklogEntry { Sent = journal.Backlog.Next() });
            journal.Flush();
        }
        File.AppendAllText(PathOf, """{"used":{"sequence":0,"at":"2026-""");

        var again = new Journal(PathOf);
        var sent = again.Backlog.Sent!;
        Assert.Equal((1, new DateTimeOffset(2026, 3, 4, 12, 0, 0, TimeSpan.Zero), 7), (sent.Sequence, sent.At, Assert.Single(sent.Lines).Cost.Micros));
        Assert.Null(again.Backlog.Next());
        again.Add(new BacklogEntry { Replied = new ReportReply { Applied = 1 } });
        Assert.Equal((2, 5), (again.Backlog.Next()!.Sequence, again.Backlog.Next()!.Lines[0].Cost.Micros));
        again.Flush();
        again.Dispose();
        Assert.All(File.ReadAllText(PathOf).Split('\n', StringSplitOptions.RemoveEmptyEntries), line => JsonDocument.Parse(line));
    }

    [Fact]
    public void And_stays_small_while_the_server_is_away_for_long()
    {
        var keys = Enumerable.Range(0, 20).Select(i => SharedBudget.Key($"k{i}", 10)).ToList();
        using (var journal = new Journal(PathOf))
        {
            for (var second = 0; second < 4000; second++)
            {
                journal.Add(new BacklogEntry { Used = new UsageReport(0, s_now.AddSeconds(second), [.. keys.Select(key => Line(key, 1))]) });
                if (second % 100 == 0)
                    journal.Flush();
            }
            journal.Flush();
        }
        Assert.InRange(new FileInfo(PathOf).Length, 1, 3 << 20);
        using var again = new Journal(PathOf);
        Assert.Equal(80_000, again.Backlog.ToWhole().Waiting.Sum(hour => hour.Lines.Sum(line => line.Cost.Micros)));
        Assert.Equal(2, again.Backlog.ToWhole().Waiting.Count);
    }

    [Fact]
    public void Its_snapshot_is_the_one_that_was_told()
    {
        var project = ProjectId.New(s_now);
        var key = SharedBudget.Key("app", 10) with { SecretHash = new byte[] { 1, 2, 3 }, Models = ["a*"], ExpiresAt = s_now };
        var route = new ModelRoute
        {
            Name = new ModelName(project, "tiny"), Fallbacks = ["other"], HedgeAfter = TimeSpan.FromMilliseconds(5), Prices = new TokenPrices(new Money(1), new Money(2), new Money(3)),
            Targets =
            [
                new PoolTarget
                {
                    Endpoint = EndpointId.New(s_now), Revision = 3, UpstreamModel = "up", Weight = 95,
                    Replicas = [new ReplicaSpec { Task = TaskId.New(s_now), Address = new Uri("http://10.0.0.1:80"), Ready = true, Tunnelled = true, LatencyMs = 5 }],
                },
                new ProviderTarget { Name = "acme", BaseUrl = new Uri("https://a.example/v1"), Dialect = ApiDialect.Anthropic, Credential = "secret", UpstreamModel = "x" },
            ],
        };
        var file = new SnapshotFile([route], [key]) { Hosts = new Dictionary<string, HostRoute> { ["a.example"] = new(project, "tiny", "tiny") } };
        var line = JsonSerializer.Deserialize<FeedLine>(new FeedLine { Snapshot = file }.ToBytes(), ApiJson.Compact)!;

        var read = line.Snapshot!.ToSnapshot(7);
        var again = read.Models[route.Name];
        Assert.Equal((7, "tiny"), (read.Version, read.Hosts["A.EXAMPLE"].Endpoint));
        var pool = Assert.IsType<PoolTarget>(again.Targets[0]);
        Assert.Equal((95, 3, ((PoolTarget)route.Targets[0]).Replicas[0]), (pool.Weight, pool.Revision, pool.Replicas[0]));
        Assert.Equal(route.Targets[1], again.Targets[1]);
        Assert.Equal((route.HedgeAfter, route.Prices, "other"), (again.HedgeAfter, again.Prices, again.Fallbacks[0]));
        var known = read.Keys[key.Id];
        Assert.Equal([1, 2, 3], known.SecretHash.ToArray());
        Assert.Equal((key.Limits, "a*", key.ExpiresAt), (known.Limits, known.Models[0], known.ExpiresAt));
    }

    [Fact]
    public void What_others_have_to_do_counts_until_they_fall_silent()
    {
        var time = new FakeTimeProvider(s_now);
        var activities = new EndpointActivities(time);
        var elsewhere = new LoadsElsewhere(activities, time);
        var (endpoint, task) = (EndpointId.New(s_now), TaskId.New(s_now));
        activities.Of(endpoint).Meter.Changed(running: 1);
        var load = new LoadReport(endpoint, 2, 3, 40, 5, [new AnswerTimes(1, 100, 10)], [new RevisionReport(1, 4, 1)]);
        elsewhere.Take(Guid.CreateVersion7(s_now), [load], [new ReplicaLoad(task, 2)]);
        elsewhere.Take(Guid.CreateVersion7(s_now.AddSeconds(1)), [load], [new ReplicaLoad(task, 1)]);

        var meter = activities.MeterOf(endpoint);
        Assert.Equal((5, 6, 80), meter.Read((history, _) => ((int)history.Current.Running, (int)history.Current.Queued, (int)history.Current.TokensInFlight)));
        Assert.Equal(10, meter.Read((history, now) => history.Average(now, TimeSpan.FromSeconds(1)).RequestsPerSecond));
        Assert.Equal((3, 8, 2), (elsewhere.InFlight(task), activities.HealthOf(endpoint, 1).Requests, activities.HealthOf(endpoint, 1).Failures));

        time.Advance(TimeSpan.FromSeconds(20));
        elsewhere.Sweep();
        Assert.Equal((1, 0), meter.Read((history, _) => ((int)history.Current.Running, (int)history.Current.Queued)));
        Assert.Equal(0, elsewhere.InFlight(task));
    }

    private static UsageLine Line(GatewayKey key, long cost) => UsageLine.Of(SharedBudget.Subject(key), new UsageSum(1, 1, 0, 1, new Money(cost)));
}
