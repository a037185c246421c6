using System.Globalization;

namespace Cairn.EndToEnd.Tests;

/// <summary>
/// A control plane that dies never stops a running workload, nor does a daemon: one attempt, every line of the log once and in order, and
/// a bill of the seconds that the program ran. Everything is killed with SIGKILL.
/// </summary>
[Trait("speed", "slow")]
public sealed class What_survives_a_kill : IDisposable
{
    private const int Lines = 100;

    /// <summary>Longer than what a busy machine's clocks may be off by.</summary>
    private static readonly TimeSpan s_outage = TimeSpan.FromSeconds(6);

    // 100 lines, one each tenth of a second, say when a line is missing, doubled or out of order; the output says that the end was reached, which is not before the test
    // has seen what it kills come back.
    private const string Workload =
        """
        name: survivor
        setup: echo "setting up"
        run: |
          date +%s%N > began
          for i in $(seq 1 100); do
            echo "line $i"; sleep 0.1
            [ "$i" != 90 ] || until [ -e BACK ]; do sleep 0.1; done
          done
          echo "$(cat began) $(date +%s%N)" > times
        outputs:
          - {name: times, path: times}
        """;

    private readonly string _back = Path.Combine(Path.GetTempPath(), $"cairn-back-{Guid.NewGuid():N}");

    public void Dispose() => File.Delete(_back);

    [Fact]
    public async Task A_job_survives_the_server()
    {
        await using var server = await CairnUp.StartServerAsync();
        await using var node = await CairnNode.JoinAsync(server, "worker", "--price", "36");
        await StartJobAsync(server);
        await server.KillAsync();
        await Task.Delay(s_outage, TestContext.Current.CancellationToken);
        await server.StartAgainAsync();
        await RequireUnharmedAsync(server);
    }

    [Fact]
    public async Task A_job_survives_its_daemon()
    {
        await using var server = await CairnUp.StartServerAsync();
        await using var node = await CairnNode.JoinAsync(server, "worker", "--price", "36");
        await StartJobAsync(server);
        await node.KillAsync();
        await Task.Delay(s_outage, TestContext.Current.CancellationToken);
        node.StartAgain();
        await RequireUnharmedAsync(server);
    }

    [Fact]
    public async Task A_job_survives_both_at_once()
    {
        await using var server = await CairnUp.StartServerAsync();
        await using var node = await CairnNode.JoinAsync(server, "worker", "--price", "36");
        await StartJobAsync(server);
        await Task.WhenAll(server.KillAsync(), node.KillAsync());
        await Task.Delay(s_outage, TestContext.Current.CancellationToken);
        node.StartAgain();
        await Task.Delay(TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);
        await server.StartAgainAsync();
        await RequireUnharmedAsync(server);
    }

    [Fact]
    public async Task A_job_survives_cairn_up_and_the_next_one_adopts_it()
    {
        await using var up = await CairnUp.StartAsync("--price", "36");
        await StartJobAsync(up);
        await up.KillAsync();
        await up.StartAgainAsync();
        await RequireUnharmedAsync(up);
    }

    [Fact]
    public async Task Ctrl_C_on_cairn_up_leaves_the_job_running_too()
    {
        await using var up = await CairnUp.StartAsync("--price", "36");
        await StartJobAsync(up);
        Assert.Equal(0, await up.StopAsync("-INT"));
        Assert.True(NodeLeftovers.HasTasks(up.NodeFolder), "Ctrl-C stopped the task");
        await up.StartAgainAsync();
        await RequireUnharmedAsync(up);
    }

    [Fact]
    public async Task A_job_that_waits_is_not_lost()
    {
        await using var up = await CairnUp.StartAsync();
        var cpus = (await up.NodesAsync())[0].Decimal("cpus_total").ToString(CultureInfo.InvariantCulture);
        var first = up.WriteFile("first.yaml", $"name: first\nresources: {{cpus: {cpus}}}\nrun: sleep 600\n");
        var patient = up.WriteFile("patient.yaml", $"name: patient\nresources: {{cpus: {cpus}}}\nrun: echo done at last\n");
        (await up.Cli.RunAsync("run", first, "--yes", "-d")).Succeeded();
        await up.UntilPhaseAsync("first", "running");
        (await up.Cli.RunAsync("run", patient, "--yes", "-d")).Succeeded();
        await up.KillAsync();
        await up.StartAgainAsync();
        Assert.Equal(("running", "queued"), ((await up.JobAsync("first")).Text("phase"), (await up.JobAsync("patient")).Text("phase")));
        (await up.Cli.RunAsync("stop", "first")).Succeeded();
        await up.UntilPhaseAsync("patient", "succeeded");
        Assert.Equal("done at last\n", await up.LogTextAsync("patient"));
    }

    private async Task StartJobAsync(CairnUp server)
    {
        await server.GrantAsync(100);
        var file = server.WriteFile("survivor.yaml", Workload.Replace("BACK", _back, StringComparison.Ordinal));
        (await server.Cli.RunAsync("run", file, "--yes", "-d")).Succeeded();
        await Eventually.TrueAsync(async () => (await server.LogTextAsync("survivor")).Contains("line 10\n", StringComparison.Ordinal),
            "the job has written ten lines");
    }

    private async Task RequireUnharmedAsync(CairnUp server)
    {
        await File.WriteAllTextAsync(_back, "", TestContext.Current.CancellationToken);
        await Eventually.TrueAsync(async () => (await server.JobAsync("survivor")).Text("phase") is "succeeded" or "failed",
            "the job ends");
        var job = await server.JobAsync("survivor");
        var log = await server.LogTextAsync("survivor");
        Assert.True(job.Text("phase") == "succeeded", $"{job}\n{log}");
        Assert.Equal(1, job.GetProperty("attempt").GetInt32());
        var task = Assert.Single(job.Tasks());
        Assert.Equal(1, task.GetProperty("epoch").GetInt64());

        var expected = new List<string> { "setting up" };
        expected.AddRange(Enumerable.Range(1, Lines).Select(i => $"line {i}"));
        Assert.Equal(expected, log.Split('\n', StringSplitOptions.RemoveEmptyEntries));

        // The node's clock starts and stops a moment after the program itself; on a busy machine later, but not by an outage.
        var ran = await SecondsRunAsync(server);
        var billed = job.BilledSeconds();
        Assert.InRange(billed, ran - s_outage.TotalSeconds, ran + s_outage.TotalSeconds);
        Assert.Equal(Numbers.CostOf(await server.CpuPriceAsync(36), billed), job.Decimal("cost"));
        var invoice = await server.GetAsync("jobs/survivor/invoice");
        Assert.True(invoice.GetProperty("final").GetBoolean());
        Assert.Equal(job.Decimal("cost"), invoice.Decimal("total"));
        Assert.Equal(0m, (await server.GetAsync("projects/default/balance")).Decimal("held"));
        await server.RequireSoundLedgerAsync();
    }

    /// <summary>By the program's own clock, from its output: an oracle that knows nothing of Cairn.</summary>
    private static async Task<double> SecondsRunAsync(CairnUp server)
    {
        var folder = Path.Combine(server.Folder, "times");
        (await server.Cli.RunAsync("output", "survivor", "times", "--to", folder)).Succeeded();
        var file = Assert.Single(Directory.EnumerateFiles(folder));
        var words = (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).Split((char[]?)null,
            StringSplitOptions.RemoveEmptyEntries);
        return (long.Parse(words[1], CultureInfo.InvariantCulture) - long.Parse(words[0], CultureInfo.InvariantCulture)) / 1e9;
    }
}
