using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Jobs;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Endpoints;

internal sealed class RolloutCommand : CairnCommand
{
    private readonly Argument<string> _name = new("NAME") { Description = "Name or id of the endpoint." };
    private readonly Argument<string?> _thing = new("THING")
    {
        Description = "A workload file with a service, a folder or GGUF file with a model, or a model's name of `cairn models`.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<int?> _canary = new("--canary")
    {
        Description = "Give the new revision this percent of the requests until it is promoted; alone, change a canary's share.",
        HelpName = "PERCENT",
    };

    private readonly Option<bool> _promote = new("--promote") { Description = "Make the canary the revision of all replicas." };
    private readonly Option<string[]> _env = new("--env", "-e") { Description = "Set an environment variable; K alone passes on this shell's value.", HelpName = "K=V" };
    private readonly Option<string[]> _secret = new("--secret") { Description = "Give a secret that the workload names.", HelpName = "K[=V]" };

    public RolloutCommand() : base("rollout", "Replace what an endpoint runs, replica by replica, or for some of the requests as a canary, which goes back by itself on errors or latency.",
        "cairn rollout tiny ./better-model --canary 10\n  cairn rollout tiny --promote")
    {
        Arguments.Add(_name);
        Arguments.Add(_thing);
        foreach (var option in new Option[] { _canary, _promote, _env, _secret })
            Options.Add(option);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var name = context.Get(_name)!;
        var endpoint = context.Get(_thing) is { } thing ? await RollOutAsync(context, name, thing, cancellationToken)
            : await context.Api.PostAsync<CanaryRequest, EndpointView>(Path(context, name, "canary"), new CanaryRequest(Percent(context)), cancellationToken);
        context.Output.Write(endpoint, view => context.Output.Line(view.CanaryRevision is { } canary
            ? $"{view.Name}: revision {canary} gets {view.CanaryPercent} % beside revision {view.Revision}" : $"{view.Name}: revision {view.Revision}"));
        return ExitCodes.Success;
    }

    private int Percent(CommandContext context) => context.Get(_promote) ? 100 : context.Get(_canary)
        ?? throw new CliException(ExitCodes.Usage, "Give a THING to roll out, or --promote or --canary PERCENT for the canary that there is.");

    private async Task<EndpointView> RollOutAsync(CommandContext context, string name, string thing, CancellationToken cancellationToken)
    {
        var current = await context.Api.GetAsync<EndpointView>(Path(context, name, null), cancellationToken);
        var text = (await ServedThing.ReadAsync(context, thing, new ServeWish { Name = current.Name }, cancellationToken)).Text;
        var request = new ServeRequest
        {
            Workload = text.Text, FileName = text.Name, CanaryPercent = context.Get(_canary),
            Env = RunCommand.Pairs(context.Get(_env), "--env"), Secrets = RunCommand.Pairs(context.Get(_secret), "--secret"),
            Workdir = await RunCommand.UploadWorkdirAsync(context, text, text.Parse(context.Output), cancellationToken),
        };
        return await context.Api.PostAsync<ServeRequest, EndpointView>(Path(context, name, "rollout"), request, cancellationToken);
    }

    private static string Path(CommandContext context, string name, string? verb) =>
        Query.Of($"endpoints/{Query.Segment(name)}{(verb is null ? "" : "/" + verb)}", ("project", context.Project));
}
