using System.Globalization;

namespace Cairn.EndToEnd.Tests;

/// <summary>A node that cannot reach the control plane goes on with what it runs and tells all of it after; the silence costs
/// nothing.</summary>
[Trait("speed", "slow")]
public sealed class A_node_away
{
    // The setup waits until the test has taken the server away, so that the program's whole life is in the dark.
    private const string Workload =
        """
        name: hermit
        setup: until [ -e DARK ]; do sleep 0.1; done
        run: |
          date +%s%N > began
          for i in $(seq 40); do echo "line $i"; echo "error $i" >&2; sleep 0.1; done
          echo "$(cat began) $(date +%s%N)" > times
        outputs:
          - {name: times, path: times}
        """;

    [Fact]
    public async Task Tells_everything_afterwards_and_costs_only_the_seconds_that_it_worked()
    {
        await using var server = await CairnUp.StartServerAsync();
        await using var node = await CairnNode.JoinAsync(server, "hut", "--price", "36");
        await server.GrantAsync(100);
        var dark = Path.Combine(Path.GetTempPath(), $"cairn-dark-{Guid.NewGuid():N}");
        var file = server.WriteFile("hermit.yaml", Workload.Replace("DARK", dark, StringComparison.Ordinal));
        (await server.Cli.RunAsync("run", file, "--yes", "-d")).Succeeded();
        await server.UntilPhaseAsync("hermit", "starting");
        await Eventually.TrueAsync(() => Task.FromResult(node.HasTasks()), "the node has begun its setup");
        await server.KillAsync();
        await File.WriteAllTextAsync(dark, "", TestContext.Current.CancellationToken);

        // Its whole life, and then a silence that is twice as long.
        await Eventually.TrueAsync(() => Task.FromResult(!node.HasTasks()), "the program has ended");
        await Task.Delay(TimeSpan.FromSeconds(8), TestContext.Current.CancellationToken);
        await server.StartAgainAsync();
        File.Delete(dark);

        var job = await server.UntilPhaseAsync("hermit", "succeeded");
        Assert.Equal(1, job.GetProperty("attempt").GetInt32());
        var log = (await server.LogTextAsync("hermit")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(Enumerable.Range(1, 40).Select(i => $"line {i}"), log.Where(line => line.StartsWith("line",
            StringComparison.Ordinal)));
        Assert.Equal(Enumerable.Range(1, 40).Select(i => $"error {i}"), log.Where(line => line.StartsWith("error",
            StringComparison.Ordinal)));

        var folder = Path.Combine(server.Folder, "times");
        (await server.Cli.RunAsync("output", "hermit", "times", "--to", folder)).Succeeded();
        var words = File.ReadAllText(Directory.EnumerateFiles(folder).Single()).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
        var ran = (long.Parse(words[1], CultureInfo.InvariantCulture) - long.Parse(words[0], CultureInfo.InvariantCulture)) / 1e9;
        // The node's clock starts and stops a moment after the program itself; on a busy machine later, but not by the silence.
        Assert.InRange(job.BilledSeconds(), ran - 6, ran + 6);
        Assert.Equal(Numbers.CostOf(await server.CpuPriceAsync(36), job.BilledSeconds()), job.Decimal("cost"));
        Assert.Equal(job.Decimal("cost"), (await server.GetAsync("jobs/hermit/invoice")).Decimal("total"));
        await server.RequireSoundLedgerAsync();
    }
}
