using System.CommandLine;
using System.Diagnostics;
using System.Text.Json;
using Cairn.Cli.Bills;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Connection;
using Cairn.Cli.Jobs;
using Cairn.Cli.Offers;
using Cairn.Cli.Workdirs;
using Cairn.Contracts.Api;
using Cairn.Contracts.Jobs;
using Cairn.Contracts.Units;

namespace Cairn.Cli.Demo;

/// <summary>
/// The main job, from a workload file to a finished job and its bill, with real processes on this machine: (1) start a control plane and six
/// daemons, (2) compare prices, (3) plan, (4) train on two nodes, (5) collect the model, (6) show timeline and invoice, (7) serve it.
/// Succeeds only if the model learned.
/// </summary>
internal sealed class DemoCommand : CairnCommand
{
    /// <summary>The held-out loss must fall below this share of what it was.</summary>
    private const double LearnedBelow = 0.65;

    // Prices are the catalogue's for these machines; io.net rents single accelerators.
    private static readonly DemoPlace[] s_places =
    [
        new("aws-frankfurt", "AWS", "hyperscaler", "eu-central-1", "DE", "p5.48xlarge", "H100-SXM-80GB:8", 55.04m),
        new("edge-munich-1", "Edge", "edge", "munich", "DE", "jetson-agx-orin-64gb", "JETSON-AGX-ORIN-64GB:1", 0.1351m),
        new("edge-munich-2", "Edge", "edge", "munich", "DE", "jetson-agx-orin-64gb", "JETSON-AGX-ORIN-64GB:1", 0.1351m),
        new("supplier-frankfurt", "io.net", "decentralized", "de", "DE", "gpu", "H100-SXM-80GB:1", 2.80m),
        new("supplier-london", "io.net", "decentralized", "de", "DE", "gpu", "H100-SXM-80GB:1", 2.80m),
        new("supplier-helsinki", "io.net", "decentralized", "fi", "FI", "gpu", "H100-SXM-80GB:1", 2.80m),
    ];

    private readonly Option<bool> _keep = new("--keep")
    {
        Description = "Leave the control plane and the daemons running, and print how to use them.",
    };

    private readonly Option<string?> _folder = new("--data")
    {
        Description = "Where it keeps everything; default a new temporary folder.", HelpName = "FOLDER",
    };

    public DemoCommand() : base("demo",
        "The whole road on this machine: compare, plan, train on two nodes, collect the model, see the bill, serve it.", "cairn demo --keep")
    {
        Options.Add(_keep);
        Options.Add(_folder);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var output = context.Output;
        var began = Stopwatch.GetTimestamp();
        var folder = context.Get(_folder) is { } named
            ? Path.GetFullPath(named)
            : Directory.CreateTempSubdirectory("cairn-demo-").FullName;
        await InstallEnginesAsync(output, cancellationToken);

        // Tasks run as users of their own, who must get through to their working directories and nothing else.
        Directory.CreateDirectory(Path.Combine(folder, "work"));
        File.SetUnixFileMode(folder, File.GetUnixFileMode(folder) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        await using var processes = new DemoProcesses(folder);
        using var api = await StartAsync(output, processes, folder, cancellationToken);

        Title(output, "What ten H100s cost around the clock");
        output.Line("  at each provider's price on demand, 730 hours a month");
        CompareCommand.Print(output, await LocalOffers.LoadAsync(cancellationToken), "H100", 10);

        var file = await WorkloadText.ReadAsync(FindExample(), cancellationToken);
        Title(output, "Where examples/train-tiny-lm would run: two nodes with one H100 each");
        await PlanCommand.PrintAsync(output, api, file, at: null, top: 6, rejected: 3, cancellationToken);

        Title(output, "Training on two decentralised nodes: PyTorch DistributedDataParallel, real processes on this machine's CPUs");
        var job = await SubmitAsync(output, api, file, cancellationToken);
        await FollowAsync(output, api, job, cancellationToken);
        job = await api.GetAsync<JobView>($"jobs/{job.Id}", cancellationToken);

        Title(output, "What happened");
        JobCommand.Print(output, job, TimeProvider.System.GetUtcNow());
        if (job.Phase != JobPhase.Succeeded)
            throw new CliException(ExitCodes.JobFailed, $"The training {EnumWords.Of(job.Phase)}: {job.Message}. Logs are in {folder}.");

        var learned = await CollectAsync(output, api, job, folder, cancellationToken);
        Title(output, "The bill");
        InvoiceText.Print(output, await api.GetAsync<InvoiceView>($"jobs/{job.Id}/invoice", cancellationToken));
        Title(output, "Serving it on the edge, behind one OpenAI-compatible gateway");
        await new DemoServing(output, api, folder).RunAsync(context.Get(_keep), cancellationToken);
        return Finish(context, processes, folder, learned, Stopwatch.GetElapsedTime(began));
    }

    private static async Task<ApiClient> StartAsync(Output output, DemoProcesses processes, string folder, CancellationToken cancellationToken)
    {
        Title(output, "Starting a control plane and six node daemons on this machine");
        output.Line("  They play places that they are not in, with accelerators that are not there, at the catalogue's prices: all of it is simulated,");
        output.Line("  and shown so. The processes, the training, the accounting are real.");
        var (http, grpc) = DemoProcesses.FreePorts();
        processes.Start("server",
            ["server", "--data", Path.Combine(folder, "server"), "--http", $"127.0.0.1:{http}", "--grpc", $"127.0.0.1:{grpc}"]);
        await UntilAsync(
            processes, () => Task.FromResult(ServerContext.Load(processes.Home) is not null), "the control plane", cancellationToken);
        var api = new ApiClient(ServerContext.Load(processes.Home)!);
        await UntilAsync(processes, () => AnswersAsync(api, cancellationToken), "the control plane", cancellationToken);
        await api.PostAsync<GrantCreditsRequest, BalanceView>(
            "projects/default/credits", new GrantCreditsRequest(Money.FromUsd(20), "demo"), cancellationToken);
        var token = await api.PostAsync<CreateJoinTokenRequest, JoinTokenView>(
            "join-tokens", new CreateJoinTokenRequest { MaxUses = s_places.Length, ValidSeconds = 600, Note = "demo" }, cancellationToken);
        foreach (var place in s_places)
        {
            var (data, work) = (Path.Combine(folder, place.Name), Path.Combine(folder, "work", place.Name));
            processes.Start(place.Name, ["node", "join", token.Token!, "--data", data, "--work", work, .. place.Flags()]);
        }

        await UntilAsync(
            processes, async () => (await ReadyNodesAsync(api, cancellationToken)).Count == s_places.Length, "the daemons", cancellationToken);
        foreach (var node in await ReadyNodesAsync(api, cancellationToken))
        {
            output.Markup($"  [green]✓[/] {Words.Escape(node.Name),-20} {Words.Escape($"{node.Provider}/{node.Region}"),-20} "
                + $"{Words.Escape(node.Accelerators),-24} {node.PricePerHour}{Words.SimulatedMark(node.Simulated)}");
        }

        return api;
    }

    private static async Task<IReadOnlyList<NodeView>> ReadyNodesAsync(ApiClient api, CancellationToken cancellationToken) =>
        [.. (await api.ListAsync<NodeView>("nodes", 100, cancellationToken)).Where(node => node is { Connected: true, Health: NodeHealth.Healthy })];

    private static async Task<bool> AnswersAsync(ApiClient api, CancellationToken cancellationToken)
    {
        try
        {
            await api.GetAsync<JsonElement>("whoami", cancellationToken);
            return true;
        }
        catch (CliException exception) when (exception.ExitCode == ExitCodes.Unreachable)
        {
            return false;
        }
    }

    private static async Task<JobView> SubmitAsync(Output output, ApiClient api, WorkloadText file, CancellationToken cancellationToken)
    {
        var manifest = await WorkdirUpload.SendAsync(output, api, file.Folder, null, cancellationToken);
        return await api.PostAsync<SubmitJobRequest, JobView>(
            "jobs", new SubmitJobRequest { Workload = file.Text, FileName = file.Name, Workdir = manifest }, cancellationToken);
    }

    private static async Task FollowAsync(Output output, ApiClient api, JobView job, CancellationToken cancellationToken)
    {
        var progress = new TrainingProgress(output);
        await foreach (var line in ServerSentEvents.FollowAsync(
            api, $"jobs/{job.Id}/logs?follow=true", StartDocuments.ReadLine, TimeSpan.FromMinutes(2), cancellationToken))
            progress.Add(line.Rank, line.Text);
    }

    /// <summary>Fetches the model and judges by its own metrics whether it learned.</summary>
    private static async Task<bool> CollectAsync(
        Output output, ApiClient api, JobView job, string folder, CancellationToken cancellationToken)
    {
        var model = Path.Combine(folder, "model");
        await OutputCommand.FetchAsync(api, $"jobs/{job.Id}/outputs/model.tar", model, cancellationToken);
        await using var stream = File.OpenRead(Path.Combine(model, "metrics.json"));
        var metrics = (await JsonSerializer.DeserializeAsync<TrainingMetrics>(stream, ApiJson.Compact, cancellationToken))!;
        var learned = metrics.LastLoss < LearnedBelow * metrics.FirstLoss;
        output.Line("");
        output.Markup($"[bold]The model[/] is in {Words.Escape(model)}");
        output.Markup($"  held-out loss {metrics.FirstLoss:0.000} → {metrics.LastLoss:0.000} in {metrics.Steps} steps on {metrics.Ranks} ranks, "
            + $"{metrics.TokensPerSecond} tokens/s: {(learned ? "[green]it learned[/]" : "[red]it did not learn[/]")}");
        return learned;
    }

    private int Finish(CommandContext context, DemoProcesses processes, string folder, bool learned, TimeSpan took)
    {
        context.Output.Line("");
        context.Output.Line($"Done in {Words.Duration(took)}. Everything is in {folder}.");
        context.Output.Line($"Serve the model with:  cairn engine {Path.Combine(folder, "model")}");
        if (context.Get(_keep))
        {
            processes.Keep();
            context.Output.Line($"Still running. Use it with:  export CAIRN_HOME={processes.Home}   "
                + "then  cairn nodes, cairn jobs, cairn bill, cairn chat tiny");
        }

        return learned ? ExitCodes.Success : ExitCodes.JobFailed;
    }

    /// <summary>PyTorch from Debian's packages where this machine has none and may install it. The job's own setup does without.</summary>
    private static async Task InstallEnginesAsync(Output output, CancellationToken cancellationToken)
    {
        var script = Environment.GetEnvironmentVariable("CAIRN_SOURCE") is { } source
            ? Path.Combine(source, "eng", "install-engines.sh")
            : null;
        if (script is null || !File.Exists(script))
            return;
        using var process = Process.Start(new ProcessStartInfo(script, ["torch"]) { RedirectStandardOutput = true })!;
        await process.WaitForExitAsync(cancellationToken);
        if (process.ExitCode != 0)
            output.Note("PyTorch could not be installed here; the job's own setup will try.");
    }

    private static async Task UntilAsync(DemoProcesses processes, Func<Task<bool>> condition, string what, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await condition())
        {
            processes.ThrowIfOneEnded();
            if (Stopwatch.GetElapsedTime(began) > TimeSpan.FromSeconds(60))
                throw new CliException(ExitCodes.TimedOut, $"{what} did not get ready within a minute.");
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        }
    }

    private static string FindExample()
    {
        string?[] roots = [Environment.GetEnvironmentVariable("CAIRN_SOURCE"), AppContext.BaseDirectory, Directory.GetCurrentDirectory()];
        foreach (var root in roots)
        {
            if (root is not null && Path.Combine(root, "examples", "train-tiny-lm", "train.yaml") is var path && File.Exists(path))
                return path;
        }

        throw new CliException(ExitCodes.NotFound,
            "examples/train-tiny-lm/train.yaml was not found beside the program; run ./cairn demo in the source tree.");
    }

    private static void Title(Output output, string text)
    {
        output.Line("");
        output.Markup($"[bold yellow]▸ {Words.Escape(text)}[/]");
    }

    private sealed record TrainingMetrics(double FirstLoss, double LastLoss, int Steps, int Ranks, double TokensPerSecond);
}
