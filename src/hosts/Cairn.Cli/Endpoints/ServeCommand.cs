using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Jobs;
using Cairn.Contracts.Api;
using Cairn.Frameworks.ModelCatalog;
using Cairn.Server.Plans;

namespace Cairn.Cli.Endpoints;

internal sealed class ServeCommand : CairnCommand
{
    private const int MostReasons = 8;

    private readonly Argument<string> _thing = new("THING")
    {
        Description = "A workload file with a service, a folder or GGUF file with a model, or a model's name of `cairn models`.",
    };

    private readonly ServeFlags _flags = new();
    private readonly EngineFlags _engine = new();
    private readonly Option<bool> _detach = new("--detach", "-d") { Description = "Do not wait until it answers." };
    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Print the workload file that would be served, and serve nothing." };

    public ServeCommand() : base("serve", "Serve a model or any HTTP server at a stable address, with as many replicas as its load asks for.",
        "cairn serve ./model --name tiny --min 0 --max 4\n  cairn serve small.gguf\n  cairn serve vllm.yaml\n  cairn serve llama-3.1-8b --engine sglang --slo ttft=500ms,tpot=40ms --dry-run")
    {
        Arguments.Add(_thing);
        _thing.CompletionSources.Add(_ => OpenModels.All.Select(model => new System.CommandLine.Completions.CompletionItem(model.Name)));
        _flags.AddTo(this);
        _engine.AddTo(this);
        Options.Add(_detach);
        Options.Add(_dryRun);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var (tokens, secrets) = _flags.ForEngine(context);
        var thing = await ServedThing.ReadAsync(context, context.Get(_thing)!, _engine.Read(context, context.Get(_flags.Name), tokens, secrets), cancellationToken);
        var parsed = thing.Text.Parse(context.Output);
        foreach (var line in thing.Why)
            context.Output.Note(line);
        if (context.Get(_dryRun))
        {
            context.Output.Write(new { workload = thing.Text.Text, why = thing.Why }, shown => context.Output.Line(shown.workload.TrimEnd('\n')));
            return ExitCodes.Success;
        }

        var request = _flags.Request(context, thing);
        if (thing.IsPlanned)
            await RequirePlaceAsync(context, request, cancellationToken);
        request = request with { Workdir = await RunCommand.UploadWorkdirAsync(context, thing.Text, parsed, cancellationToken) };
        var endpoint = await context.Api.PostAsync<ServeRequest, EndpointView>(Query.Of("endpoints", ("project", context.Project)), request, cancellationToken);
        if (!context.Get(_detach))
            endpoint = await EndpointWait.UntilReadyAsync(context, endpoint, cancellationToken);
        context.Output.Write(endpoint, view =>
        {
            context.Output.Line(view.Name);
            context.Output.Note(EndpointText.HowToCall(view, context.Api.Server));
        });
        return endpoint.Phase == "failing" ? ExitCodes.JobFailed : ExitCodes.Success;
    }

    /// <summary>What Cairn planned itself is held against the enrolled nodes before anything begins.</summary>
    private static async Task RequirePlaceAsync(CommandContext context, ServeRequest request, CancellationToken cancellationToken)
    {
        var plan = new PlanRequest { Workload = request.Workload, FileName = request.FileName, At = request.At, RunnableOnly = true, Limit = 1, RejectedLimit = MostReasons };
        var answer = await context.Api.PostAsync<PlanRequest, PlanAnswer>(Query.Of("plan", ("project", context.Project)), plan, cancellationToken);
        if (answer.HasPlace)
            return;
        var rejected = answer.Workload?.Rejected ?? [];
        throw new CliException(
            ExitCodes.Refused, "No enrolled node can run it; nothing was begun. `cairn node join` brings one, and --dry-run prints the workload file.",
            rejected.Count == 0 ? ["No node takes work."]
                : [.. rejected.Select(r => $"{r.Offer.Provider}/{r.Offer.Region}/{r.Offer.InstanceType}: {string.Join(" ", r.Reasons.Select(reason => reason.Message))}")]);
    }
}
