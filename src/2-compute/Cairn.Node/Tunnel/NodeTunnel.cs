using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Cairn.Contracts.Tunnels;
using Cairn.Node.Link;
using Cairn.Node.Tasks;
using Microsoft.Extensions.Logging;

namespace Cairn.Node.Tunnel;

/// <summary>
/// Keeps the tunnel through which the server reaches this node's services: opened when the node is given its first service, and again
/// after every break, with the secret of the session that stands.
/// </summary>
internal sealed partial class NodeTunnel(TunnelServer server, NodeSurroundings node, TaskTable table, Random random)
{
    private static readonly TimeSpan s_openTimeout = TimeSpan.FromSeconds(15);

    private static readonly TimeSpan s_worked = TimeSpan.FromSeconds(5);

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (node.Options.TunnelStreams == 0)
            return;
        await table.ServiceSeen.WaitAsync(cancellationToken);
        var door = new ServiceDoor(table, cancellationToken);
        for (var failures = 0; ; failures++)
        {
            var session = await node.Link.SessionAsync(cancellationToken);
            var began = node.Clock.GetTimestamp();
            // A server that takes a tunnel and drops it at once is not a working one.
            if (await RunOnceAsync(session, door, cancellationToken) && node.Clock.GetElapsedTime(began) > s_worked)
                failures = 0;
            cancellationToken.ThrowIfCancellationRequested();
            await Task.Delay(Backoff.Delay(failures, random.NextDouble()), node.Clock, cancellationToken);
        }
    }

    /// <returns>Whether there was a tunnel for a while.</returns>
    private async Task<bool> RunOnceAsync(ServerSession session, ServiceDoor door, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, session.Over);
        if (await OpenAsync(session, over.Token) is not { } connection)
            return false;
        await using var _ = connection;
        LogOpened(node.Logger);
        var mux = new TunnelMux(connection, node.Options.TunnelStreams, door.AcceptAsync);
        LogEnded(node.Logger, await mux.RunAsync(over.Token));
        return true;
    }

    private async Task<SslStream?> OpenAsync(ServerSession session, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(s_openTimeout, node.Clock);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await TunnelConnection.OpenAsync(server, session.Secret.Memory, either.Token);
        }
        catch (Exception error) when (error is IOException or SocketException or AuthenticationException or OperationCanceledException)
        {
            if (!cancellationToken.IsCancellationRequested)
                LogFailed(node.Logger, error is OperationCanceledException ? "the server does not answer in time" : error.Message);
            return null;
        }
    }
}
