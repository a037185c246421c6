using System.CommandLine;
using System.Diagnostics;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Connection;
using Cairn.Cli.Nodes;
using Cairn.Node;
using Cairn.Server.Hosting;

namespace Cairn.Cli.Up;

internal sealed class UpCommand : CairnCommand
{
    private readonly ServerFlags _server = new();
    private readonly NodeFlags _node = new();

    public UpCommand() : base("up", "Run the control plane and make this machine a node. Ctrl-C stops both and leaves running workloads running; the next `up` adopts them.",
        "cairn up --simulate H100:8 --price 20")
    {
        _server.AddTo(this);
        _node.AddTo(this);
    }

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        var began = Stopwatch.GetTimestamp();
        var options = _server.Read(context);
        var declaration = _node.Read(context);
        await using var server = await ServerHost.StartAsync(context, options, cancellationToken);

        var nodeOptions = new NodeOptions
        {
            DataFolder = Path.Combine(options.DataFolder, "node"),
            // A node that has joined needs no token.
            JoinToken = NodeDaemon.HasJoined(Path.Combine(options.DataFolder, "node")) ? null : await server.CreateJoinTokenAsync(cancellationToken),
            Server = server.GrpcAddress,
            Declaration = declaration,
            Simulate = _node.Simulate(context),
            Address = _node.Address(context),
            WorkFolder = _node.Work(context),
        };
        if (nodeOptions.Validate() is { Count: > 0 } errors)
            throw new CliException(ExitCodes.Usage, "The node cannot start so:", errors);
        using var logging = HostLogging.Create(context.Output);
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var daemon = new NodeDaemon(nodeOptions, logging, new TrainingFrameworks());
        var node = daemon.RunAsync(stopping.Token);
        await Task.WhenAny(daemon.Joined, node);
        Announce(context.Output, server, Stopwatch.GetElapsedTime(began));

        // Either half that ends takes the other with it: a control plane without its node would look well and run nothing.
        var plane = server.UntilStoppedAsync(stopping.Token);
        await Task.WhenAny(plane, node);
        await stopping.CancelAsync();
        return await EndAsync(plane, node);
    }

    private static async Task<int> EndAsync(Task<bool> plane, Task node)
    {
        try
        {
            await node;
        }
        catch (OperationCanceledException)
        {
            // Asked to stop.
        }
        catch (NodeRefusedException refused)
        {
            throw new CliException(ExitCodes.Refused, refused.Message);
        }

        return await plane ? ExitCodes.Success : ExitCodes.Failure;
    }

    private static void Announce(Output output, CairnServer server, TimeSpan took)
    {
        output.NoteMarkup($"[green]Cairn is up[/] after {Words.Duration(took)}.");
        output.Note($"  REST API  {server.ForClients.Url}/api/v1   (OpenAPI: {server.ForClients.Url}/openapi/v1.json)");
        output.Note($"  nodes     {server.GrpcAddress}   (cairn node token lets others join)");
        output.Note($"  key       {ServerContext.FilePath(ServerContext.Home)}");
        output.Note("  Try: cairn run examples/hello.yaml --yes");
    }
}
