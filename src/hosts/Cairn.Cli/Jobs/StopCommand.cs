using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Jobs;

internal sealed class StopCommand : CairnCommand
{
    private readonly Argument<string> _job = new("JOB") { Description = "Name or id." };
    private readonly Option<int?> _grace = new("--grace") { Description = "Seconds between SIGTERM and SIGKILL; default is the workload's own.", HelpName = "SECONDS" };

    public StopCommand() : base("stop", "Stop a job: SIGTERM, a grace, SIGKILL. What it wrote to its outputs and checkpoints is kept.", "cairn stop train --grace 60")
    {
        Arguments.Add(_job);
        Options.Add(_grace);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        if (context.Get(_grace) is < 0)
            throw new CliException(ExitCodes.Usage, $"--grace is {context.Get(_grace)}; expected 0 or more seconds.");
        var job = await context.Api.PostAsync<StopRequest, JobView>(
            Query.Of($"jobs/{Query.Segment(context.Get(_job)!)}/stop", ("project", context.Project)), new StopRequest(context.Get(_grace)), cancellationToken);
        context.Output.Write(job, view => context.Output.Line($"{view.Name} {Words.Snake(view.Phase)}"));
        return ExitCodes.Success;
    }

    private sealed record StopRequest(int? GraceSeconds);
}
