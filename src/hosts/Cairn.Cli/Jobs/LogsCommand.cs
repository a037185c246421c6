using System.CommandLine;
using System.Globalization;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Connection;

namespace Cairn.Cli.Jobs;

internal sealed class LogsCommand : CairnCommand
{
    private readonly Argument<string> _job = new("JOB") { Description = "Name or id." };
    private readonly Option<bool> _follow = new("--follow", "-f") { Description = "Stay and print new lines until the job ends." };
    private readonly Option<int?> _rank = new("--rank") { Description = "Only this rank of the gang.", HelpName = "N" };
    private readonly Option<int?> _attempt = new("--attempt") { Description = "Only this attempt; default all.", HelpName = "N" };
    private readonly Option<string?> _since = new("--since")
    {
        Description = "Only lines after a time (2026-01-31T12:00:00Z) or younger than a duration (10m).", HelpName = "WHEN",
    };

    private readonly Option<int?> _tail = new("--tail") { Description = "Begin with the last N lines.", HelpName = "N" };
    private readonly Option<bool> _timestamps = new("--timestamps", "-t") { Description = "Print each line's time." };

    public LogsCommand() : base("logs", "Print a job's log lines, of one rank or all, and follow them.", "cairn logs train --follow --rank 0")
    {
        Arguments.Add(_job);
        foreach (var option in new Option[] { _follow, _rank, _attempt, _since, _tail, _timestamps })
            Options.Add(option);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var path = Query.Of($"jobs/{Query.Segment(context.Get(_job)!)}/logs",
            ("project", context.Project), ("follow", context.Get(_follow) ? "true" : null), ("rank", Text(context.Get(_rank))),
            ("attempt", Text(context.Get(_attempt))), ("since", context.Get(_since)), ("tail", Text(context.Get(_tail))));
        await PrintAsync(context, path, nodes: 1, context.Get(_timestamps), cancellationToken);
        return ExitCodes.Success;
    }

    /// <summary>Prints log lines until the stream ends: stdout to stdout, stderr to stderr, a rank in front where there are several.</summary>
    internal static async Task PrintAsync(CommandContext context, string path, int nodes, bool timestamps, CancellationToken cancellationToken)
    {
        var showRank = nodes > 1;
        await foreach (var line in ServerSentEvents.FollowAsync(context.Api, path, StartDocuments.ReadLine, TimeSpan.FromMinutes(10), cancellationToken))
        {
            if (context.Output.IsJson)
            {
                context.Output.JsonLine(line);
                continue;
            }

            showRank |= line.Rank > 0;
            var text = $"{(timestamps ? line.At.ToString("yyyy-MM-ddTHH:mm:ss.fffZ ", CultureInfo.InvariantCulture) : "")}{(showRank ? $"[{line.Rank}] " : "")}{line.Text}";
            await (line.Stream == "stderr" ? Console.Error : Console.Out).WriteLineAsync(text.AsMemory(), cancellationToken);
        }
    }

    private static string? Text(int? value) => value?.ToString(CultureInfo.InvariantCulture);
}
