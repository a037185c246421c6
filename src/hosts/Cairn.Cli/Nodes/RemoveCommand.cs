using System.CommandLine;
using Cairn.Cli.CommandLine;

namespace Cairn.Cli.Nodes;

internal sealed class RemoveCommand : CairnCommand
{
    private readonly Argument<string> _node = new("NODE") { Description = "Name or id." };
    private readonly Option<bool> _force = new("--force") { Description = "Also while tasks run there; they are treated as lost." };

    public RemoveCommand() : base("remove", "Remove a node for good: its key is refused from now on.", "cairn remove worker-3")
    {
        Arguments.Add(_node);
        Options.Add(_force);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var name = context.Get(_node)!;
        await context.Api.DeleteAsync(Query.Of("nodes/" + Query.Segment(name), ("force", context.Get(_force) ? "true" : null)), cancellationToken);
        if (!context.Output.IsJson)
            context.Output.Line($"{name} removed");
        return ExitCodes.Success;
    }
}
