using Cairn.Cli.CommandLine;
using Cairn.Cli.Connection;
using Cairn.Server.Hosting;
using Cairn.State;

namespace Cairn.Cli.Up;

/// <summary>Starts a control plane in this process and remembers how the CLI reaches it.</summary>
internal static class ServerHost
{
    public static async Task<CairnServer> StartAsync(CommandContext context, ServerOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var server = await CairnServer.StartAsync(options, TimeProvider.System, logging => HostLogging.Configure(logging, context.Output), cancellationToken);
            Remember(server);
            return server;
        }
        catch (StoreException exception)
        {
            throw new CliException(ExitCodes.Refused, exception.Message);
        }
        catch (IOException exception) when (exception.Message.Contains("address already in use", StringComparison.OrdinalIgnoreCase))
        {
            throw new CliException(ExitCodes.Refused, $"{exception.Message} Is Cairn running already? --http and --grpc choose other ports.");
        }
    }

    // The first start's key is written at once: nothing else keeps it. Later starts keep the key and follow the address.
    private static void Remember(CairnServer server)
    {
        var known = ServerContext.Load(ServerContext.Home);
        var (url, dial, certificate) = server.ForClients;
        var now = new ServerContext(url, server.AdminKey ?? known?.Key) { Dial = dial, Certificate = certificate };
        if (server.AdminKey is not null || (known is not null && known.Key is not null && server.Knows(known.Key) && known != now))
            now.Save(ServerContext.Home);
    }
}
