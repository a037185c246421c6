using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Cairn.EndToEnd.Tests;

/// <summary>What docs/cli.md promises of every command.</summary>
[Trait("speed", "slow")]
public sealed partial class The_command_line(OneUp shared) : IClassFixture<OneUp>
{
    private const string LongName = "a-job-with-the-longest-name-that-anybody-can-give-to-one-of-them";

    private CairnUp Up => shared.Up;

    private CairnProgram Cli => shared.Up.Cli;

    [Fact]
    public async Task Every_command_has_help_with_an_example()
    {
        var found = new List<string>();
        await WalkAsync([], found);
        foreach (var expected in new[] { "up", "server", "node join", "plan", "run", "jobs", "job", "logs", "stop", "wait", "nodes",
            "cordon", "drain", "remove", "offers", "compare", "catalog import", "models show", "models fit", "bill", "demo", "completion" })
            Assert.Contains(expected, found);
    }

    [Fact]
    public async Task Every_listing_is_json_where_asked_and_its_table_fits_100_columns()
    {
        var file = Up.WriteFile("long.yaml", "name: long\nresources: {cpus: 0.1}\nrun: echo long\n");
        (await Cli.RunAsync("run", file, "--yes", "--name", LongName[..63])).Succeeded();
        string[][] commands =
        [
            ["jobs"], ["job", LongName[..63]], ["wait", LongName[..63]], ["bill"], ["bill", LongName[..63]], ["bill", "--by", "provider"],
            ["nodes"], ["node", "desk"], ["node", "tokens"], ["projects"], ["projects", "balance", "default"], ["keys"], ["context"],
            ["offers"], ["compare", "--count", "10"], ["compare", "--count", "10", "--hidden"], ["catalog"],
            ["models"], ["models", "show", "kimi-k2"], ["models", "fit", "llama-3.3-70b", "--cards"], ["models", "fit", "bge-m3"],
            ["plan", "examples/use-cases/realtime-50ms.yaml"], ["plan", "examples/pipeline.yaml"],
        ];
        foreach (var command in commands)
        {
            var table = (await Cli.RunAsync(command)).Succeeded();
            Assert.All(table.Out.Split('\n'), line => Assert.True(line.TrimEnd().Length <= 100,
                $"{string.Join(' ', command)}: {line.Length} columns: {line}"));
            Assert.DoesNotContain('\u001b', table.Out);
            var json = (await Cli.RunAsync([.. command, "--json"])).Succeeded().Json;
            RequireSnakeCase(json, string.Join(' ', command));
        }

        var lines = (await Cli.RunAsync("logs", LongName[..63], "--json")).Succeeded().Out.Split('\n',
            StringSplitOptions.RemoveEmptyEntries);
        Assert.All(lines, line => RequireSnakeCase(JsonDocument.Parse(line).RootElement, "logs"));
        var csv = (await Cli.RunAsync("bill", "--csv")).Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("job,job_id,billed_hours,", csv[0], StringComparison.Ordinal);
        Assert.All(csv, line => Assert.Equal(csv[0].Count(c => c == ','), line.Count(c => c == ',')));
    }

    [Fact]
    public async Task The_exit_codes_are_those_of_the_documentation()
    {
        var well = Up.WriteFile("well.yaml", "name: well\nresources: {cpus: 0.1}\nrun: 'true'\n");
        var badly = Up.WriteFile("badly.yaml", "name: badly\nresources: {cpus: 0.1}\nrun: exit 7\n");
        var longer = Up.WriteFile("longer.yaml", "name: longer\nresources: {cpus: 0.1}\nrun: echo on; sleep 300\n");
        var seen = new Dictionary<int, string>();
        async Task SeeAsync(params string[] command) => seen[(await Cli.RunAsync(command)).ExitCode] = string.Join(' ', command);

        await SeeAsync("run", well, "--yes");
        await SeeAsync("plan", "/nowhere.yaml");
        await SeeAsync("job", "nobody");
        await SeeAsync("run", well, "--yes", "--at", "Atlantis");
        await SeeAsync("jobs", "--server", $"http://127.0.0.1:{CairnProgram.FreePort()}");
        seen[(await Cli.RunWithAsync([("CAIRN_KEY", "ck_wrong")], "jobs")).ExitCode] = "a wrong key";
        await SeeAsync("run", badly, "--yes");

        // Ctrl-C leaves the job running.
        using (var following = Cli.Start("run", longer, "--yes"))
        {
            following.StandardInput.Close();
            Assert.Equal("on", await following.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken));
            using (var kill = Process.Start("/bin/kill", ["-INT", following.Id.ToString(CultureInfo.InvariantCulture)]))
                await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
            await following.WaitForExitAsync(TestContext.Current.CancellationToken);
            seen[following.ExitCode] = "Ctrl-C";
        }

        await Up.UntilPhaseAsync("longer", "running");
        await SeeAsync("wait", "longer", "--timeout", "0.5");
        (await Cli.RunAsync("wait", "longer", "--for", "running")).Succeeded();
        (await Cli.RunAsync("stop", "longer", "--grace", "0")).Succeeded();
        await SeeAsync("wait", "longer");

        var documented = ExitCodeRow().Matches(await File.ReadAllTextAsync(Path.Combine(CairnProgram.Root, "docs", "cli.md"),
            TestContext.Current.CancellationToken))
            .Select(row => int.Parse(row.Groups[1].Value, CultureInfo.InvariantCulture)).Where(code => code != 1);
        Assert.Equal(documented.Order(), seen.Keys.Order());
    }

    [Theory]
    [InlineData("examples/skypilot-train.yaml")]
    [InlineData("examples/dstack-task.yaml")]
    [InlineData("examples/ddp.yaml")]
    [InlineData("examples/gpu-train.yaml")]
    [InlineData("examples/hello.yaml")]
    [InlineData("examples/pipeline.yaml")]
    [InlineData("examples/spot-with-checkpoints.yaml")]
    [InlineData("examples/sweep.yaml")]
    public async Task Every_example_can_be_planned_whatever_its_dialect(string file)
    {
        var plan = (await Cli.RunAsync("plan", file, "--json")).Succeeded();
        var places = plan.Json.TryGetProperty("steps", out var steps) ? steps[0].List("candidates") : plan.Json.List("candidates");
        Assert.NotEmpty(places);
    }

    [Fact]
    public async Task A_stop_gives_the_program_its_grace_and_no_more()
    {
        var polite = Up.WriteFile("polite.yaml",
            "name: polite\nresources: {cpus: 0.1}\nrun: |\n  trap 'sleep 1; echo saved; exit 0' TERM\n  echo ready\n  while true; do sleep 0.1; done\n");
        var deaf = Up.WriteFile("deaf.yaml",
            "name: deaf\nresources: {cpus: 0.1}\nrun: |\n  trap '' TERM\n  echo ready\n  while true; do sleep 0.1; done\n");
        foreach (var file in new[] { polite, deaf })
            (await Cli.RunAsync("run", file, "--yes", "-d")).Succeeded();
        foreach (var job in new[] { "polite", "deaf" })
            await Eventually.TrueAsync(async () => (await Up.LogTextAsync(job)).Contains("ready", StringComparison.Ordinal),
                $"{job} is ready");

        var began = Stopwatch.GetTimestamp();
        (await Cli.RunAsync("stop", "deaf", "--grace", "2")).Succeeded();
        (await Cli.RunAsync("stop", "polite")).Succeeded();
        var stopped = await Up.UntilPhaseAsync("polite", "stopped");
        Assert.Equal("stopped", stopped.Text("reason"));
        Assert.EndsWith("saved\n", await Up.LogTextAsync("polite"), StringComparison.Ordinal);
        await Up.UntilPhaseAsync("deaf", "stopped");
        Assert.True(Stopwatch.GetElapsedTime(began).TotalSeconds >= 2, "it had less than its grace");
        Assert.Equal(9, Assert.Single((await Up.JobAsync("deaf")).Tasks()).GetProperty("signal").GetInt32());
    }

    [Fact]
    public async Task Logs_are_cut_by_rank_tail_and_time()
    {
        // The last two lines come after the first two were seen, so there is a time between them.
        var seen = Path.Combine(Path.GetTempPath(), $"cairn-seen-{Guid.NewGuid():N}");
        var file = Up.WriteFile("pair.yaml",
            "name: pair\nnodes: 2\nresources: {cpus: 0.1}\n"
            + $"run: for i in 1 2 3 4; do until [ $i != 3 ] || [ -e {seen} ]; do sleep 0.1; done; echo \"$i of $RANK\"; done\n");
        (await Cli.RunAsync("run", file, "--yes", "-d")).Succeeded();
        await Eventually.TrueAsync(async () => (await LogAsync()).Count(line => line.Contains("] 2 of", StringComparison.Ordinal)) == 2, "both have said two words");
        await File.WriteAllTextAsync(seen, "", TestContext.Current.CancellationToken);
        await Up.UntilPhaseAsync("pair", "succeeded");
        File.Delete(seen);

        // A rank is in front where there are several.
        Assert.Equal(["[1] 1 of 1", "[1] 2 of 1", "[1] 3 of 1", "[1] 4 of 1"], await LogAsync("--rank", "1"));
        Assert.Equal(8, (await LogAsync()).Count);
        Assert.Equal(["4 of 0"], await LogAsync("--rank", "0", "--tail", "1"));
        var stamped = (await Cli.RunAsync("logs", "pair", "--rank", "0", "--json")).Succeeded().Out.Split('\n',
            StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement.Text("at")).ToList();
        Assert.Equal(["3 of 0", "4 of 0"], await LogAsync("--rank", "0", "--since", stamped[2]));
        Assert.Empty(await LogAsync("--since", "1ms"));
        Assert.Equal(2, (await Cli.RunAsync("logs", "pair", "--since", "yesterday")).ExitCode);

        async Task<List<string>> LogAsync(params string[] flags) =>
            [.. (await Cli.RunAsync(["logs", "pair", .. flags])).Succeeded().Out.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    [Fact]
    public async Task A_node_is_taken_out_of_service_gently()
    {
        await using var guest = await CairnNode.JoinAsync(Up, "guest", "--label", "place=guest");
        var file = Up.WriteFile("mover.yaml",
            "name: mover\nresources: {cpus: 0.1}\nstop_grace: 2s\nrun: |\n  echo \"on $CAIRN_NODE_NAME\"\n  sleep 300\n");
        (await Cli.RunAsync("cordon", "desk")).Succeeded();
        Assert.Equal("cordoned", (await Cli.RunAsync("node", "desk", "--json")).Succeeded().Json.Text("phase"));
        (await Cli.RunAsync("run", file, "--yes", "-d")).Succeeded();
        await Up.UntilPhaseAsync("mover", "running");
        Assert.Equal("guest", Assert.Single((await Up.JobAsync("mover")).Tasks()).Text("node"));
        Assert.Equal(4, (await Cli.RunAsync("remove", "guest")).ExitCode);

        (await Cli.RunAsync("uncordon", "desk")).Succeeded();
        (await Cli.RunAsync("drain", "guest")).Succeeded();
        await Eventually.TrueAsync(async () => (await Up.LogTextAsync("mover")).Contains("on desk", StringComparison.Ordinal),
            "the job has moved");
        Assert.Equal(2, (await Up.JobAsync("mover")).Attempts().Count);
        (await Cli.RunAsync("remove", "guest")).Succeeded();
        Assert.Equal(3, (await Cli.RunAsync("node", "guest")).ExitCode);
        (await Cli.RunAsync("stop", "mover", "--grace", "0")).Succeeded();
        await Up.UntilPhaseAsync("mover", "stopped");
    }

    [Fact]
    public async Task Secrets_and_keys_lie_in_files_that_only_their_owner_can_read()
    {
        const UnixFileMode ownerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(ownerOnly, File.GetUnixFileMode(Path.Combine(Cli.Home, "context.json")));
        var data = Path.Combine(Up.Folder, "data");
        Assert.Equal(ownerOnly | UnixFileMode.UserExecute, File.GetUnixFileMode(data));
        foreach (var key in Directory.EnumerateFiles(Path.Combine(data, "keys"), "*.key").Append(Path.Combine(data, "node", "node.key")))
            Assert.Equal(ownerOnly, File.GetUnixFileMode(key));

        // A key that is given to another context is written the same way, and shown nowhere.
        using var elsewhere = new TemporaryHome();
        (await elsewhere.Cli.RunAsync(Up.AdminKey() + "\n", ["context", "set", Up.Address, "--key-from-stdin"])).Succeeded();
        Assert.Equal(ownerOnly, File.GetUnixFileMode(Path.Combine(elsewhere.Cli.Home, "context.json")));
        (await elsewhere.Cli.RunAsync("nodes")).Succeeded();
        Assert.DoesNotContain(Up.AdminKey(), (await elsewhere.Cli.RunAsync("context", "--json")).Succeeded().Out, StringComparison.Ordinal);
        Assert.DoesNotContain(Up.AdminKey()[^20..], Up.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bash_completes_commands_and_options()
    {
        Assert.Equal(["node", "nodes"], await CompleteInBashAsync("cairn nod"));
        Assert.Contains("import", await CompleteInBashAsync("cairn catalog "));
        Assert.Contains("--follow", await CompleteInBashAsync("cairn logs train --fo"));
    }

    [Theory]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Other_shells_read_their_completion_script(string shell)
    {
        var script = (await Cli.RunAsync("completion", shell)).Succeeded().Out;
        Assert.Contains("cairn", script, StringComparison.Ordinal);
        var program = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(folder => Path.Combine(folder,
            shell)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(program is null, $"{shell} is not installed.");
        var (code, _, error) = await RunAsync(program!, "-n", Up.WriteFile($"completion.{shell}", script));
        Assert.True(code == 0, error);
    }

    private static async Task<List<string>> CompleteInBashAsync(string line)
    {
        var words = line.Split(' ');
        var script =
            $$"""
            PATH={{Path.GetDirectoryName(CairnProgram.Path)}}:$PATH
            source <(cairn completion bash)
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}} COMP_WORDS=({{line}}{{(words[^1].Length == 0 ? " ''" : "")}}) COMP_CWORD={{words.Length - 1}}
            _cairn_complete
            printf '%s\n' "${COMPREPLY[@]}"
            """;
        var (code, output, error) = await RunAsync("/bin/bash", "-c", script);
        Assert.True(code == 0, error);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal)];
    }

    private static async Task<(int Code, string Out, string Error)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true,
            RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken),
            process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken));
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (process.ExitCode, await output, await error);
    }

    /// <summary>Walks the tree by what help itself shows.</summary>
    private async Task WalkAsync(string[] command, List<string> found)
    {
        var help = (await Cli.RunAsync([.. command, "--help"])).Succeeded().Out;
        var name = string.Join(' ', command);
        if (command.Length > 0)
        {
            found.Add(name);
            var example = help.IndexOf("Example:", StringComparison.Ordinal);
            Assert.True(example > 0 && help[example..].Contains("cairn ", StringComparison.Ordinal), $"{name}: no example in\n{help}");
            Assert.Contains("--json", help, StringComparison.Ordinal);
        }

        if (help.Split("Arguments:\n") is [_, var listed])
        {
            var arguments = listed.Split("\n\n")[0].Split('\n').Where(line => line.StartsWith("  <", StringComparison.Ordinal))
                .Select(line => line.Trim().Split(' ')[0]).ToList();
            Assert.Equal(arguments.Distinct(), arguments);
        }

        var commands = help.Split("Commands:\n", 2);
        if (commands.Length == 1)
            return;
        foreach (var line in commands[1].Split('\n').TakeWhile(line => line.StartsWith("  ", StringComparison.Ordinal)))
        {
            // What is indented further continues the line above it.
            if (line[2] != ' ')
                await WalkAsync([.. command, line.Trim().Split(' ')[0]], found);
        }
    }

    private static void RequireSnakeCase(JsonElement element, string where)
    {
        if (element.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in element.EnumerateArray())
                RequireSnakeCase(item, where);
        }
        else if (element.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in element.EnumerateObject())
            {
                // Environment variables and labels are the person's own words.
                Assert.True(SnakeCase().IsMatch(property.Name), $"{where}: '{property.Name}'");
                if (property.Name is not ("env" or "labels" or "node_labels"))
                    RequireSnakeCase(property.Value, where);
            }
        }
    }

    [GeneratedRegex("^[a-z][a-z0-9_]*$")]
    private static partial Regex SnakeCase();

    [GeneratedRegex(@"^\| (\d+) \|", RegexOptions.Multiline)]
    private static partial Regex ExitCodeRow();
}
