using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Jobs;

internal sealed class StopCommand : CairnCommand
{
    private readonly Argument<string> _job = new("NAME") { Description = "Name or id of a job or an endpoint." };
    private readonly Option<int?> _grace = new("--grace")
    {
        Description = "Seconds between SIGTERM and SIGKILL; default is the workload's own.", HelpName = "SECONDS",
    };

    public StopCommand() : base("stop",
        "Stop a job (SIGTERM, a grace, SIGKILL; its outputs and checkpoints are kept), or an endpoint, whose replicas finish their requests first.",
        "cairn stop train --grace 60")
    {
        Arguments.Add(_job);
        Options.Add(_grace);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        if (context.Get(_grace) is < 0)
            throw new CliException(ExitCodes.Usage, $"--grace is {context.Get(_grace)}; expected 0 or more seconds.");
        if (await StopEndpointAsync(context, cancellationToken))
            return ExitCodes.Success;
        var job = await context.Api.PostAsync<StopRequest, JobView>(
            Query.Of($"jobs/{Query.Segment(context.Get(_job)!)}/stop", ("project", context.Project)), new StopRequest(context.Get(_grace)), cancellationToken);
        context.Output.Write(job, view => context.Output.Line($"{view.Name} {EnumWords.Of(view.Phase)}"));
        return ExitCodes.Success;
    }

    /// <summary>An endpoint goes before a job of its name: its jobs are its replicas, which it would only begin anew.</summary>
    private async Task<bool> StopEndpointAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var name = context.Get(_job)!;
        var endpoints = await context.Api.GetAsync<Page<EndpointView>>(Query.Of("endpoints", ("project", context.Project)), cancellationToken);
        if (!endpoints.Items.Any(e => e.Name == name || e.Id.ToString() == name))
            return false;
        var stopped = await context.Api.PostAsync<object, EndpointView>(
            Query.Of($"endpoints/{Query.Segment(name)}/stop", ("project", context.Project)), new { }, cancellationToken);
        context.Output.Write(stopped, view => context.Output.Line($"{view.Name} {view.Phase}"));
        return true;
    }

    private sealed record StopRequest(int? GraceSeconds);
}
