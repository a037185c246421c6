using Cairn.Cli.CommandLine;
using Cairn.Node;
using Microsoft.Extensions.Logging;

namespace Cairn.Cli.Up;

/// <summary>Runs a daemon in this process until it is interrupted. What it runs goes on without it.</summary>
internal static class NodeHost
{
    public static async Task<int> RunAsync(NodeOptions options, ILoggerFactory logging, CancellationToken cancellationToken)
    {
        var daemon = new NodeDaemon(options, logging, new TrainingFrameworks());
        try
        {
            await daemon.RunAsync(cancellationToken);
            return ExitCodes.Success;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return ExitCodes.Success;
        }
        catch (NodeRefusedException refused)
        {
            throw new CliException(refused.Code == "options" ? ExitCodes.Usage : ExitCodes.Refused, refused.Message);
        }
    }
}
