using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Jobs;

internal sealed class JobsCommand : CairnCommand
{
    private readonly Option<string?> _phase = new("--phase")
    {
        Description = "Only jobs in this phase: queued, starting, running, recovering, stopping, succeeded, failed, stopped.",
        HelpName = "PHASE",
    };

    private readonly Option<string?> _name = new("--name") { Description = "Only jobs whose name starts so.", HelpName = "PREFIX" };
    private readonly Option<int> _limit = new("--limit", "-n") { Description = "At most this many, newest first.", DefaultValueFactory = _ => 50 };

    public JobsCommand() : base("jobs", "List jobs, newest first.", "cairn jobs --phase running")
    {
        Options.Add(_phase);
        Options.Add(_name);
        Options.Add(_limit);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var limit = context.Get(_limit);
        if (limit < 1)
            throw new CliException(ExitCodes.Usage, $"--limit is {limit}; expected at least 1.");
        var path = Query.Of("jobs", ("phase", context.Get(_phase)), ("name", context.Get(_name)), ("project", context.Project),
            ("limit", Math.Min(limit, 200).ToString(System.Globalization.CultureInfo.InvariantCulture)));
        var jobs = await context.Api.ListAsync<JobView>(path, limit, cancellationToken);
        context.Output.Write(jobs, list => Print(context.Output, list, TimeProvider.System.GetUtcNow()));
        return ExitCodes.Success;
    }

    private static void Print(Output output, IReadOnlyList<JobView> jobs, DateTimeOffset now)
    {
        if (jobs.Count == 0)
        {
            output.Note("No jobs. Run one with `cairn run FILE`.");
            return;
        }

        var table = Output.NewTable("NAME~", "PHASE", ">NODES", "WHERE~", "GPU", "SUBMITTED", ">RAN", ">COST");
        foreach (var job in jobs)
        {
            table.AddRow(
                Words.Escape(job.Name), Words.Phase(job.Phase), Words.Number(job.Nodes), JobText.Where(job), Words.Escape(job.Accelerators ?? "–"),
                Words.Ago(job.SubmittedAt, now), JobText.Ran(job, now), job.Cost.ToString());
        }

        output.Table(table);
    }
}
