using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Nodes;

/// <summary><c>cordon</c>, <c>uncordon</c> and <c>drain</c>: take a node out of service gently, and back.</summary>
internal sealed class NodeActionCommand : CairnCommand
{
    private readonly Argument<string> _node = new("NODE") { Description = "Name or id." };
    private readonly string _action;

    private NodeActionCommand(string action, string summary) : base(action, summary, $"cairn {action} worker-3")
    {
        _action = action;
        Arguments.Add(_node);
    }

    public static NodeActionCommand Cordon() => new("cordon", "Give a node no new work; what runs there goes on.");

    public static NodeActionCommand Uncordon() => new("uncordon", "Let a cordoned or drained node take work again.");

    public static NodeActionCommand Drain() => new("drain", "Give a node no new work and move what runs there to other nodes.");

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var name = Query.Segment(context.Get(_node)!);
        await context.Api.PostAsync($"nodes/{name}/{_action}", cancellationToken);
        var node = await context.Api.GetAsync<NodeView>("nodes/" + name, cancellationToken);
        context.Output.Write(node, view => context.Output.Line($"{view.Name} {EnumWords.Of(view.Phase)}"));
        return ExitCodes.Success;
    }
}
