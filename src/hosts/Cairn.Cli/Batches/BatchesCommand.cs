using System.CommandLine;
using Cairn.Cli.CommandLine;

namespace Cairn.Cli.Batches;

internal sealed class BatchesCommand : CairnCommand
{
    private readonly Option<int> _limit = new("--limit") { Description = "At most so many, the newest first.", HelpName = "N", DefaultValueFactory = _ => 20 };

    public BatchesCommand() : base("batches", "List the batches of requests of the key's project.", "cairn batches\n  cairn batches --limit 5 --json") => Options.Add(_limit);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        if (context.Get(_limit) is < 1 and var limit)
            throw new CliException(ExitCodes.Usage, $"--limit is {limit}; expected at least 1.");
        using var client = new BatchClient(context);
        var batches = await client.ListAsync(context.Get(_limit), cancellationToken);
        context.Output.Write(batches, list => BatchText.Table(context.Output, list, TimeProvider.System.GetUtcNow()));
        return ExitCodes.Success;
    }
}
