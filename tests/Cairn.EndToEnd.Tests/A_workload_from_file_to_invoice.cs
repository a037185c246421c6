using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>The whole road of docs/architecture.md, station by station: describe, plan, place, run, track, account.</summary>
[Trait("speed", "slow")]
public sealed class A_workload_from_file_to_invoice
{
    private const string Workload =
        """
        name: letters
        workdir: .
        env: {GREETING: nobody, WORDS: 3, HEARD: nothing}
        secrets: [TOKEN]
        setup: echo "setup sees $WORDS words"
        run: |
          echo "$GREETING from $(cat src/who.txt)"
          echo "a secret of ${#TOKEN} letters" >&2
          mkdir -p out/deep
          echo "word 1"
          until [ -e "$HEARD" ]; do sleep 0.1; done
          for i in $(seq 2 "$WORDS"); do echo "word $i"; sleep 0.7; done
          sleep 0.7
          cp src/who.txt out/deep/who.txt
          seq 1000 > out/numbers.txt
        outputs:
          - {name: result, path: out}
        """;

    [Fact]
    public async Task Every_station_tells_the_next_one_the_truth()
    {
        await using var up = await CairnUp.StartAsync("--price", "3.60", "--name", "desk");
        var cli = up.Cli;
        await up.GrantAsync(10);
        var price = await up.CpuPriceAsync(3.60m);
        var file = DescribeWorkload(up);

        await PlanNamesThisMachineAsync(cli, file, price);
        await RunStreamsWhatTheProgramSaysAsync(cli, file);
        var job = await TrackingKnowsWhatHappenedAsync(cli);
        await OutputsComeBackAsync(up);
        await AccountsAddUpAsync(up, job, price);
    }

    private static string DescribeWorkload(CairnUp up)
    {
        up.WriteFile("work/src/who.txt", "a file of the working directory");
        up.WriteFile("work/src/ignored.log", "this stays at home");
        up.WriteFile("work/.cairnignore", "*.log\n");
        return up.WriteFile("work/letters.yaml", Workload);
    }

    private static async Task PlanNamesThisMachineAsync(CairnProgram cli, string file, decimal price)
    {
        var plan = (await cli.RunAsync("plan", file, "--json")).Succeeded().Json;
        var own = plan.List("candidates").Single(c => c.GetProperty("offer").Text("provider") == "own");
        Assert.Equal("on_premises", own.GetProperty("offer").Text("deployment_model"));
        Assert.True(own.GetProperty("offer").GetProperty("runnable").GetBoolean());
        Assert.Equal(price, own.Decimal("hourly_usd"));
        foreach (var candidate in plan.List("candidates"))
            Assert.Equal(candidate.Decimal("total_usd"), candidate.List("items").Sum(item => item.Decimal("amount_usd")));
        var totals = plan.List("candidates").ConvertAll(c => c.Decimal("total_usd"));
        Assert.Equal(totals.Order(), totals);
    }

    private static async Task RunStreamsWhatTheProgramSaysAsync(CairnProgram cli, string file)
    {
        // The program goes on when its first word was heard, so whoever follows it must get that word before it is done.
        var heard = Path.Combine(Path.GetTempPath(), $"cairn-heard-{Guid.NewGuid():N}");
        using var process = cli.Start("run", file, "--yes", "--env", "GREETING=Hello", "--env", "HEARD=" + heard, "--secret", "TOKEN=hunter2-hunter2");
        process.StandardInput.Close();
        var errors = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var lines = new List<string>();
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(TimeSpan.FromMinutes(4));
        try
        {
            while (await process.StandardOutput.ReadLineAsync(limit.Token) is { } line)
            {
                if (line == "word 1")
                    await File.WriteAllTextAsync(heard, "", limit.Token);
                lines.Add(line);
            }
        }
        finally
        {
            File.Delete(heard);
        }

        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, await errors);
        Assert.Equal(["setup sees 3 words", "Hello from a file of the working directory", "word 1", "word 2", "word 3"], lines);
        Assert.Contains("a secret of 15 letters", await errors, StringComparison.Ordinal);
    }

    private static async Task<JsonElement> TrackingKnowsWhatHappenedAsync(CairnProgram cli)
    {
        var job = (await cli.RunAsync("job", "letters", "--json")).Succeeded().Json;
        Assert.Equal("succeeded", job.Text("phase"));
        Assert.Equal("own", job.Text("provider"));
        Assert.Equal(0, job.GetProperty("exit_code").GetInt32());
        Assert.Equal(["queued", "placed", "running", "ended"], job.List("timeline").ConvertAll(e => e.Text("kind")));
        var times = job.List("timeline").ConvertAll(e => e.GetProperty("at").GetDateTimeOffset());
        Assert.Equal(times.Order(), times);
        var task = Assert.Single(job.Tasks());
        Assert.Equal(("desk", "ended", "succeeded"), (task.Text("node"), task.Text("state"), task.Text("reason")));
        Assert.DoesNotContain("hunter2", job.ToString(), StringComparison.Ordinal);

        var logs = (await cli.RunAsync("logs", "letters")).Succeeded();
        Assert.Equal(5, logs.Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains("letters", (await cli.RunAsync("jobs", "--phase", "succeeded")).Succeeded().Out, StringComparison.Ordinal);
        return job;
    }

    private static async Task OutputsComeBackAsync(CairnUp up)
    {
        var folder = Path.Combine(up.Folder, "fetched");
        (await up.Cli.RunAsync("output", "letters", "result", "--to", folder)).Succeeded();
        Assert.Equal("a file of the working directory", await File.ReadAllTextAsync(Path.Combine(folder, "deep", "who.txt"),
            TestContext.Current.CancellationToken));
        var numbers = await File.ReadAllLinesAsync(Path.Combine(folder, "numbers.txt"), TestContext.Current.CancellationToken);
        Assert.Equal(Enumerable.Range(1, 1000).Select(n => n.ToString(System.Globalization.CultureInfo.InvariantCulture)), numbers);
        Assert.Equal(2, Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Count());
    }

    private static async Task AccountsAddUpAsync(CairnUp up, JsonElement job, decimal price)
    {
        var billed = job.BilledSeconds();
        // The program works for 2.1 s and waits to be heard; its node's clock starts a moment after the program itself.
        Assert.InRange(billed, 1.0, 240);
        var cost = Numbers.CostOf(price, billed);
        Assert.Equal(cost, job.Decimal("cost"));

        var invoice = (await up.Cli.RunAsync("bill", "letters", "--json")).Succeeded().Json;
        Assert.True(invoice.GetProperty("final").GetBoolean());
        Assert.False(invoice.GetProperty("simulated").GetBoolean());
        var line = Assert.Single(invoice.List("lines"));
        Assert.Equal(("compute", "own", "s"), (line.Text("kind"), line.Text("provider"), line.Text("unit")));
        Assert.Equal(billed, line.GetProperty("quantity").GetDouble(), 6);
        Assert.Equal(price, line.Decimal("unit_price_usd"));
        Assert.Equal(cost, line.Decimal("amount"));
        Assert.Equal(cost, invoice.Decimal("total"));

        var alternatives = invoice.List("alternatives");
        Assert.Contains(alternatives, place => place.Text("provider") == "AWS");
        Assert.All(alternatives, place => Assert.Equal(place.Decimal("total"), place.List("items").Sum(item => item.Decimal("amount"))));
        Assert.Equal(alternatives.Select(p => p.Text("provider")).Distinct().Count(), alternatives.Count);

        foreach (var by in new[] { "job", "project", "provider", "day" })
        {
            var bill = (await up.Cli.RunAsync("bill", "--by", by, "--json")).Succeeded().Json;
            Assert.Equal(cost, bill.Decimal("total"));
            Assert.Equal(cost, Assert.Single(bill.List("rows")).Decimal("compute"));
        }

        var balance = (await up.Cli.RunAsync("projects", "balance", "default", "--json")).Succeeded().Json;
        Assert.Equal((10m, 10m - cost, 0m, cost), (balance.Decimal("granted"), balance.Decimal("available"), balance.Decimal("held"),
            balance.Decimal("spent")));
        await up.RequireSoundLedgerAsync();
    }
}
