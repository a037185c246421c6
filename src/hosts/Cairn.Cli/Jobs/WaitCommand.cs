using System.CommandLine;
using System.Text.Json;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Connection;
using Cairn.Contracts.Api;
using Cairn.Contracts.Jobs;

namespace Cairn.Cli.Jobs;

internal sealed class WaitCommand : CairnCommand
{
    private readonly Argument<string> _job = new("JOB") { Description = "Name or id." };
    private readonly Option<string?> _phase = new("--for")
    {
        Description = "Wait for this phase; default any end. An end always ends the wait.", HelpName = "PHASE",
    };

    private readonly Option<double?> _timeout = new("--timeout") { Description = "Give up after this many seconds, with exit code 12.", HelpName = "SECONDS" };

    public WaitCommand() : base("wait", "Wait until a job reaches a phase or ends. Exit code 0 on success, 10 if it failed, 11 if it was stopped.", "cairn wait train --timeout 3600")
    {
        Arguments.Add(_job);
        Options.Add(_phase);
        Options.Add(_timeout);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var wanted = ParsePhase(context.Get(_phase));
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (context.Get(_timeout) is { } seconds)
            limit.CancelAfter(TimeSpan.FromSeconds(seconds));
        try
        {
            var name = context.Get(_job)!;
            await WaitAsync(context, name, wanted, limit.Token);
            var job = await context.Api.GetAsync<JobView>(Query.Of("jobs/" + Query.Segment(name), ("project", context.Project)), limit.Token);
            context.Output.Write(job, view => context.Output.Line(JobText.Outcome(view)));
            return job.Phase == wanted ? ExitCodes.Success : JobText.ExitCode(job.Phase);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CliException(ExitCodes.TimedOut, $"{context.Get(_job)} did not get there within {context.Get(_timeout)} s.");
        }
    }

    private static async Task WaitAsync(CommandContext context, string name, JobPhase? wanted, CancellationToken cancellationToken)
    {
        var path = Query.Of($"jobs/{Query.Segment(name)}/events", ("project", context.Project));
        await foreach (var entry in ServerSentEvents.FollowAsync(
            context.Api, path, data => JsonSerializer.Deserialize<JobEventView>(data, ApiJson.Compact)!, TimeSpan.FromMinutes(10), cancellationToken))
        {
            if (entry.Phase == wanted || JobText.HasEnded(entry.Phase))
                return;
        }
    }

    private static JobPhase? ParsePhase(string? text)
    {
        if (text is null)
            return null;
        return EnumWords.Find<JobPhase>(text)
            ?? throw new CliException(ExitCodes.Usage, $"'{text}' is not a phase; expected one of {string.Join(", ", EnumWords.All<JobPhase>())}.");
    }
}
