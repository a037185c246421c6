using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Contracts.Api;

namespace Cairn.Cli.Nodes;

/// <summary><c>cairn node NAME</c> shows one; its subcommands join this machine and make join tokens.</summary>
internal sealed class NodeCommand : CairnCommand
{
    private readonly Argument<string?> _node = new("NODE") { Description = "Name or id.", Arity = ArgumentArity.ZeroOrOne };

    public NodeCommand() : base("node", "Show one node, or join this machine as one.", "cairn node worker-3")
    {
        Arguments.Add(_node);
        Subcommands.Add(new NodeJoinCommand());
        Subcommands.Add(new NodeTokenCommand());
        Subcommands.Add(new NodeTokensCommand());
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var name = context.Get(_node) ?? throw new CliException(ExitCodes.Usage, "Name a node (`cairn nodes` lists them), or use join, token or tokens.");
        var node = await context.Api.GetAsync<NodeView>("nodes/" + Query.Segment(name), cancellationToken);
        context.Output.Write(node, view => Print(context.Output, view, TimeProvider.System.GetUtcNow()));
        return ExitCodes.Success;
    }

    private static void Print(Output output, NodeView node, DateTimeOffset now)
    {
        output.Markup($"[bold]{Words.Escape(node.Name)}[/]  {Words.Health(node.Health)}  {EnumWords.Of(node.Phase)}{Words.SimulatedMark(node.Simulated)}");
        output.Line($"  id         {node.Id}");
        output.Line($"  where      {node.Provider}/{node.Region} ({EnumWords.Of(node.DeploymentModel)}), pool {node.Pool}");
        output.Line($"  price      {node.PricePerHour}");
        output.Line($"  gpus       {node.Accelerators ?? "none"}, {Words.Number(node.AcceleratorsFree)} free");
        output.Line($"  cpus       {Words.Number(node.CpusFree)} free of {Words.Number(node.CpusTotal)}");
        output.Line($"  memory     {Words.Bytes(node.MemoryBytesFree)} free of {Words.Bytes(node.MemoryBytesTotal)}");
        output.Line($"  seen       {Words.Ago(node.LastSeenAt, now)}, {(node.Connected ? "connected" : "not connected")}, daemon {node.DaemonVersion}");
        if (node.Detail is not { } detail)
            return;
        output.Line($"  machine    {detail.Hostname}, {detail.OperatingSystem}, {detail.Architecture}, {detail.CpuModel}");
        if (detail.Fp32Flops > 0)
        {
            output.Line($"  measured   {Words.Number(detail.Fp32Flops / 1e9)} GFLOP/s fp32, memory {Words.Bytes((long)detail.MemoryBytesPerSecond)}/s, " +
                $"disk {Words.Bytes((long)detail.DiskBytesPerSecond)}/s");
        }

        if (detail.Tasks is not { Count: > 0 } tasks)
            return;
        output.Line("");
        var table = Output.NewTable("JOB~", ">RANK", "STATE");
        foreach (var task in tasks)
            table.AddRow(Words.Escape(task.JobName), Words.Number(task.Rank), EnumWords.Of(task.State));
        output.Table(table);
    }
}
