using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Jobs;

internal sealed class JobCommand : CairnCommand
{
    private readonly Argument<string> _job = new("JOB") { Description = "Name or id." };

    public JobCommand() : base("job", "Show one job: its attempts, tasks, timeline and reasons.", "cairn job train") => Arguments.Add(_job);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var path = Query.Of("jobs/" + Query.Segment(context.Get(_job)!), ("project", context.Project));
        var job = await context.Api.GetAsync<JobView>(path, cancellationToken);
        context.Output.Write(job, view => Print(context.Output, view, TimeProvider.System.GetUtcNow()));
        return ExitCodes.Success;
    }

    internal static void Print(Output output, JobView job, DateTimeOffset now)
    {
        output.Markup($"[bold]{Words.Escape(job.Name)}[/]  {Words.Phase(job.Phase)}{(job.Reason is null || job.Reason == EnumWords.Of(job.Phase) ? "" : "  " + Words.Escape(job.Reason))}");
        if (job.Message is not null)
            output.Line("  " + job.Message);
        output.Line($"  id         {job.Id}");
        output.Line($"  project    {job.Project}");
        output.Markup($"  where      {JobText.Where(job)}");
        output.Line($"  price      {job.Hourly}   charged {job.Cost}");
        output.Line($"  submitted  {job.SubmittedAt:yyyy-MM-dd HH:mm:ss}Z   ran {JobText.Ran(job, now)}");
        foreach (var attempt in job.Attempts ?? [])
            PrintAttempt(output, attempt);
        PrintTimeline(output, job);
        if (job.Outputs is { Count: > 0 } outputs)
        {
            output.Line("");
            output.Markup("[bold]Outputs[/]");
            foreach (var item in outputs)
                output.Line($"  {item.Name}  {Words.Bytes(item.SizeBytes)} in {item.Files} files");
        }
    }

    private static void PrintAttempt(Output output, AttemptView attempt)
    {
        output.Line("");
        output.Markup($"[bold]Attempt {attempt.Number}[/]{(attempt.Reason is null ? "" : "  " + Words.Escape(attempt.Reason))}");
        var table = Output.NewTable(">RANK", "NODE~", "STATE", "REASON~", ">EXIT", ">BILLED", ">COST");
        foreach (var task in attempt.Tasks)
        {
            table.AddRow(
                Words.Number(task.Rank), Words.Escape(task.Node), EnumWords.Of(task.State), Words.Escape(task.Reason ?? "–"),
                task.Signal is { } signal ? $"signal {signal}" : task.ExitCode is { } code ? Words.Number(code) : "–",
                Words.Duration(TimeSpan.FromSeconds(task.BilledSeconds)), task.Cost.ToString());
        }

        output.Table(table);
    }

    private static void PrintTimeline(Output output, JobView job)
    {
        if (job.Timeline is not { Count: > 0 } timeline)
            return;
        output.Line("");
        output.Markup("[bold]Timeline[/]");
        var table = Output.NewTable(">AT", "EVENT", "WHAT~");
        foreach (var entry in timeline)
            table.AddRow("+" + Words.Duration(entry.At - job.SubmittedAt), Words.Escape(entry.Kind), Words.Escape(entry.Message));
        output.Table(table);
    }
}
