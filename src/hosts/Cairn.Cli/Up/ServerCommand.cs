using Cairn.Cli.CommandLine;

namespace Cairn.Cli.Up;

internal sealed class ServerCommand : CairnCommand
{
    private readonly ServerFlags _flags = new();

    public ServerCommand() : base("server", "Run the control plane alone, without making this machine a node.", "cairn server --data /var/lib/cairn --grpc 0.0.0.0:7071 --public-name cairn.example.org") =>
        _flags.AddTo(this);

    protected override async Task<int> RunAsync(CommandContext context, CancellationToken cancellationToken)
    {
        await using var server = await ServerHost.StartAsync(context, _flags.Read(context), cancellationToken);
        context.Output.Note($"Cairn's control plane is ready at {server.ForClients.Url}; nodes dial {server.GrpcAddress}.");
        return await server.UntilStoppedAsync(cancellationToken) ? ExitCodes.Success : ExitCodes.Failure;
    }
}
