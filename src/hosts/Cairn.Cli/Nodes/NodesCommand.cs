using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Nodes;

internal sealed class NodesCommand : CairnCommand
{
    private readonly Option<string?> _pool = new("--pool") { Description = "Only nodes of this pool.", HelpName = "POOL" };
    private readonly Option<string?> _health = new("--health") { Description = "Only nodes that are healthy, unhealthy or lost.", HelpName = "HEALTH" };
    private readonly Option<int> _limit = new("--limit", "-n") { Description = "At most this many.", DefaultValueFactory = _ => 200 };

    public NodesCommand() : base("nodes", "List nodes: what is there, what is free, how it is.", "cairn nodes --pool gpu")
    {
        Options.Add(_pool);
        Options.Add(_health);
        Options.Add(_limit);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var path = Query.Of("nodes", ("pool", context.Get(_pool)), ("health", context.Get(_health)));
        var nodes = await context.Api.ListAsync<NodeView>(path, context.Get(_limit), cancellationToken);
        context.Output.Write(nodes, list => Print(context.Output, list));
        return ExitCodes.Success;
    }

    private static void Print(Output output, IReadOnlyList<NodeView> nodes)
    {
        if (nodes.Count == 0)
        {
            output.Note("No nodes. `cairn up` makes this machine one; `cairn node token` lets others join.");
            return;
        }

        var table = Output.NewTable("NAME~", "HEALTH", "PHASE", "WHERE~", "GPU FREE", ">CPU FREE", ">MEM FREE", ">PRICE");
        foreach (var node in nodes)
        {
            table.AddRow(
                Words.Escape(node.Name) + Words.SimulatedMark(node.Simulated), Words.Health(node.Health), EnumWords.Of(node.Phase),
                Words.Escape($"{node.Provider}/{node.Region}"),
                node.AcceleratorsTotal > 0 ? Words.Escape($"{Words.Number(node.AcceleratorsFree)} of {node.Accelerators}") : "–",
                $"{Words.Number(node.CpusFree)}/{Words.Number(node.CpusTotal)}", Words.Bytes(node.MemoryBytesFree), node.PricePerHour.ToString());
        }

        output.Table(table);
    }
}
