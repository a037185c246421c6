using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>A server that judges silence in seconds, and four daemons. Machines that a test loses come back before the next one.</summary>
public sealed class FourMachines : IAsyncLifetime
{
    private readonly List<CairnNode> _nodes = [];

    internal CairnUp Server { get; private set; } = null!;

    internal IReadOnlyList<CairnNode> Nodes => _nodes;

    public async ValueTask InitializeAsync()
    {
        Server = await CairnUp.StartServerAsync("--heartbeat", "1", "--unhealthy-after", "6", "--lost-after", "15");
        try
        {
            await Server.GrantAsync(1000);
            for (var i = 1; i <= 4; i++)
                _nodes.Add(await CairnNode.JoinAsync(Server, $"m{i}", "--price", "36"));
        }
        catch
        {
            await DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var node in _nodes)
            await node.DisposeAsync();
        await Server.DisposeAsync();
    }

    internal CairnNode Named(string name) => _nodes.Single(node => node.Name == name);
}

/// <summary>Half of a gang's machines go, with everything on them, while it runs. It recovers by its policy and goes on from its
/// checkpoint.</summary>
[Trait("speed", "slow")]
public sealed class A_gang_recovers(FourMachines machines) : IClassFixture<FourMachines>
{
    private const int Goal = 48;
    private const int StepsPerCheckpoint = 8;

    // Each rank counts to 48 and writes a checkpoint every two seconds; before its end it waits until the lost rank has a new place, however long that takes.
    // A count that continues is never a count that restarts.
    private const string Counter =
        """
        name: NAME
        nodes: 2
        resources: {spread: true}
        checkpoints: {path: checkpoints, interval: 1s}
        retries: {restart: POLICY}
        stop_grace: 5s
        run: |
          n=$(cat checkpoints/count 2>/dev/null || echo 0)
          echo "begins at $n"
          while [ "$n" -lt 48 ]; do
            until [ "$n" -lt 40 ] || [ -e REPLACED ]; do sleep 0.1; done
            sleep 0.25; n=$((n+1)); echo "counts $n"
            if [ $((n % 8)) -eq 0 ]; then echo "$n" > checkpoints/new && mv checkpoints/new checkpoints/count; fi
          done
          echo "rank $RANK of $WORLD_SIZE counted to $n" > result
        outputs:
          - {name: result, path: result}
        """;

    private CairnUp Server => machines.Server;

    [Fact]
    public async Task As_a_whole_where_its_policy_is_gang()
    {
        var incident = await LoseHalfAsync("whole", "gang");
        var job = await Server.UntilPhaseAsync("whole", "succeeded");
        var log = Lines(await Server.LogTextAsync("whole"));

        Assert.Equal(2, job.Attempts().Count);
        Assert.Equal("node_lost", job.Attempts()[0].Text("reason"));
        foreach (var rank in new[] { 0, 1 })
        {
            var begins = log.Where(l => l.Rank == rank && l.Words is ["begins", "at", _]).Select(l => int.Parse(l.Words[2],
                CultureInfo.InvariantCulture)).ToList();
            Assert.Equal(2, begins.Count);
            Assert.Equal(0, begins[0]);
            RequireFromCheckpoint(begins[1]);
        }

        await RequireResultAsync("whole", job, incident);
    }

    [Fact]
    public async Task Only_the_lost_ranks_where_its_policy_is_lost()
    {
        var incident = await LoseHalfAsync("half", "lost");
        var job = await Server.UntilPhaseAsync("half", "succeeded");
        var log = Lines(await Server.LogTextAsync("half"));

        // Who was not lost counts on and never begins again.
        var survivor = 1 - incident.LostRank;
        Assert.Single(log, l => l.Rank == survivor && l.Words[0] == "begins");
        Assert.Equal(Enumerable.Range(1, Goal), log.Where(l => l.Rank == survivor && l.Words[0] == "counts").Select(l =>
            int.Parse(l.Words[1], CultureInfo.InvariantCulture)));
        Assert.Single(job.Tasks(), task => task.GetProperty("rank").GetInt32() == survivor);
        var begins = log.Where(l => l.Rank == incident.LostRank && l.Words[0] == "begins").Select(l => int.Parse(l.Words[2],
            CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(2, begins.Count);
        RequireFromCheckpoint(begins[1]);

        await RequireResultAsync("half", job, incident);
    }

    [Fact]
    public async Task A_daemon_that_comes_back_late_is_fenced_and_its_task_stopped()
    {
        var file = Server.WriteFile("late.yaml",
            """
            name: late
            retries: {restart: gang}
            stop_grace: 2s
            run: |
              echo "attempt $CAIRN_ATTEMPT" > who
              for i in $(seq 60); do sleep 0.25; done
              [ "$CAIRN_ATTEMPT" = 2 ] || sleep 600
            outputs:
              - {name: who, path: who}
            """);
        (await Server.Cli.RunAsync("run", file, "--yes", "-d")).Succeeded();
        var running = await Server.UntilPhaseAsync("late", "running");
        var cut = machines.Named(Assert.Single(running.Tasks()).Text("node"));
        await cut.KillAsync();
        Assert.True(cut.HasTasks(), "the task went with its daemon");
        await Eventually.TrueAsync(async () => (await Server.JobAsync("late")) is var job && job.Attempts().Count == 2
            && job.Text("phase") == "running", "the second attempt runs");
        var before = (await Server.JobAsync("late")).Tasks()[0];

        cut.StartAgain();
        await cut.UntilHealthyAsync();
        await Eventually.TrueAsync(() => Task.FromResult(!cut.HasTasks()), "the late task is stopped");
        var job = await Server.UntilPhaseAsync("late", "succeeded");
        Assert.Equal(2, job.Attempts().Count);
        var late = job.Tasks()[0];
        Assert.Equal(("ended", "node_lost"), (late.Text("state"), late.Text("reason")));
        Assert.Equal(before.Decimal("cost"), late.Decimal("cost"));
        Assert.Equal("attempt 2\n", await ResultAsync("late", "who"));
        await Server.RequireSoundLedgerAsync();
    }

    private async Task<Incident> LoseHalfAsync(string name, string policy)
    {
        foreach (var machine in machines.Nodes)
            await machine.UntilHealthyAsync();
        var replaced = Path.Combine(Path.GetTempPath(), $"cairn-replaced-{Guid.NewGuid():N}");
        var file = Server.WriteFile($"{name}.yaml", Counter.Replace("NAME", name, StringComparison.Ordinal).Replace("POLICY", policy,
            StringComparison.Ordinal).Replace("REPLACED", replaced, StringComparison.Ordinal));
        (await Server.Cli.RunAsync("run", file, "--yes", "-d")).Succeeded();
        await Eventually.TrueAsync(
            async () => Lines(await Server.LogTextAsync(name)).Count(l => l.Words is ["counts", "18"]) == 2,
                "both ranks have a checkpoint behind them and work on");
        var job = await Server.JobAsync(name);
        Assert.Equal(2, job.Tasks().Select(task => task.Text("node")).Distinct().Count());

        var lost = job.Tasks()[1];
        var node = machines.Named(lost.Text("node"));
        var began = lost.GetProperty("started_at").GetDateTimeOffset();
        await node.LoseMachineAsync();
        var ran = DateTimeOffset.UtcNow - began;
        await Eventually.TrueAsync(async () => (await Server.JobAsync(name)).List("timeline").Exists(e => e.Text("kind") == "node_lost"),
            "the loss is noticed");

        // The machine comes back while the job recovers; what it held is void.
        node.StartAgain();
        // Ranks that must begin again have ended before any is placed anew.
        await Eventually.TrueAsync(async () => (await Server.JobAsync(name)).Tasks().Count > 2, "the lost rank has a new place");
        await File.WriteAllTextAsync(replaced, "", TestContext.Current.CancellationToken);
        return new Incident(lost.GetProperty("rank").GetInt32(), node, ran, replaced);
    }

    private static void RequireFromCheckpoint(int begin)
    {
        Assert.InRange(begin, StepsPerCheckpoint, Goal - 1);
        Assert.Equal(0, begin % StepsPerCheckpoint);
    }

    private async Task RequireResultAsync(string name, JsonElement job, Incident incident)
    {
        var lost = job.Attempts()[0].List("tasks").Single(task => task.GetProperty("rank").GetInt32() == incident.LostRank);
        Assert.Equal("node_lost", lost.Text("reason"));

        // Silence is not billed, and it lasted for 15 s: only up to the last heartbeat, a second before the end, and on a busy machine some more.
        Assert.InRange(lost.GetProperty("billed_seconds").GetDouble(), Math.Max(0.001, incident.Ran.TotalSeconds - 7), incident.Ran.TotalSeconds + 7);
        var price = await Server.CpuPriceAsync(36);
        Assert.Equal(job.Tasks().Sum(task => Numbers.CostOf(price, task.GetProperty("billed_seconds").GetDouble())), job.Decimal("cost"));
        var invoice = await Server.GetAsync($"jobs/{name}/invoice");
        Assert.Equal(job.Decimal("cost"), invoice.Decimal("total"));
        Assert.True(invoice.GetProperty("final").GetBoolean());

        var results = new[] { 0, 1 }.Select(rank => $"rank {rank} of 2 counted to {Goal}");
        Assert.Equal(results, (await ResultAsync(name, "result")).Split('\n', StringSplitOptions.RemoveEmptyEntries));
        File.Delete(incident.Replaced);
        await incident.Node.UntilHealthyAsync();
        await Eventually.TrueAsync(() => Task.FromResult(!machines.Nodes.Any(n => n.HasTasks())), "nothing of the job runs on");
        await Server.RequireSoundLedgerAsync();
    }

    private async Task<string> ResultAsync(string job, string output)
    {
        var folder = Path.Combine(Server.Folder, "fetched", job);
        (await Server.Cli.RunAsync("output", job, output, "--to", folder)).Succeeded();
        var files = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal);
        return string.Concat(files.Select(File.ReadAllText));
    }

    private static List<LogLine> Lines(string text)
    {
        var lines = new List<LogLine>();
        foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // Plain text of a gang has the rank in front: [1] counts 7
            Debug.Assert(line[0] == '[', line);
            var end = line.IndexOf(']', StringComparison.Ordinal);
            lines.Add(new LogLine(int.Parse(line.AsSpan(1, end - 1), CultureInfo.InvariantCulture), line[(end + 1)..].Split(' ',
                StringSplitOptions.RemoveEmptyEntries)));
        }

        return lines;
    }

    private sealed record LogLine(int Rank, string[] Words);

    /// <param name="Replaced">The file that lets the program come to its end.</param>
    private sealed record Incident(int LostRank, CairnNode Node, TimeSpan Ran, string Replaced);
}
