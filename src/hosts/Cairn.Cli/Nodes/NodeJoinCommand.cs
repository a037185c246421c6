using System.CommandLine;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Connection;
using Cairn.Cli.Up;
using Cairn.Node;

namespace Cairn.Cli.Nodes;

internal sealed class NodeJoinCommand : CairnCommand
{
    private readonly Argument<string?> _token = new("TOKEN")
    {
        Description = "From `cairn node token`. Not needed again once the node has joined; - reads it from stdin.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private readonly Option<string> _data = new("--data")
    {
        Description = "The folder of the node's key, tasks and logs.",
        DefaultValueFactory = _ => Path.Combine(ServerContext.Home, "node"),
        HelpName = "FOLDER",
    };

    private readonly NodeFlags _flags = new();

    public NodeJoinCommand() : base("join", "Make this machine a node and run its daemon. It dials out and needs no inbound port. What runs goes on when the daemon is stopped, and is adopted by the next.",
        "cairn node join cairn1.eyJ… --pool gpu --provider own --price 2.50 --region berlin --country DE")
    {
        Arguments.Add(_token);
        Options.Add(_data);
        _flags.AddTo(this);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var token = context.Get(_token);
        if (token == "-")
            token = (await Console.In.ReadToEndAsync(cancellationToken)).Trim();
        var options = new NodeOptions
        {
            DataFolder = Path.GetFullPath(context.Get(_data)!),
            JoinToken = token,
            Declaration = _flags.Read(context),
            Simulate = _flags.Simulate(context),
            Address = _flags.Address(context),
            WorkFolder = _flags.Work(context),
        };
        if (options.Validate() is { Count: > 0 } errors)
            throw new CliException(ExitCodes.Usage, "The node cannot start so:", errors);
        using var logging = HostLogging.Create(context.Output);
        return await NodeHost.RunAsync(options, logging, cancellationToken);
    }
}
