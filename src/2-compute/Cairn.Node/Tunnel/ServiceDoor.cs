using System.Net;
using System.Net.Sockets;
using Cairn.Contracts.Tunnels;
using Cairn.Node.Tasks;

namespace Cairn.Node.Tunnel;

/// <summary>
/// What can be reached through the tunnel: on the loopback address, the ports of a service whose task this node runs. Nothing else, whoever
/// asks.
/// </summary>
internal sealed class ServiceDoor(TaskTable table, CancellationToken daemonStops)
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);

    /// <summary>Connects the stream to its target, or tells why not, and carries its bytes until it ends. Does not throw.</summary>
    public async Task AcceptAsync(TunnelStream stream, TunnelTarget target)
    {
        if (table.ServicePortsOf(target.Task) is not var (http, grpc))
            stream.Abort($"the node does not run a service as task {target.Task}");
        else if (target.Port != http && target.Port != grpc)
            stream.Abort($"port {target.Port} is not a port of task {target.Task}'s service, which has {http}{(grpc > 0 ? $" and, for gRPC, {grpc}" : "")}");
        else
            await ConnectAsync(stream, target.Port);
    }

    private async Task ConnectAsync(TunnelStream stream, int port)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(daemonStops);
            patience.CancelAfter(s_patience);
            await socket.ConnectAsync(IPAddress.Loopback, port, patience.Token);
            stream.Accept();
        }
        catch (Exception error) when (error is SocketException or OperationCanceledException or IOException)
        {
            stream.Abort(error is SocketException refused
                ? $"the service does not listen on 127.0.0.1:{port}: {refused.Message}"
                : $"the service does not answer on 127.0.0.1:{port}");
            return;
        }
        await SocketPump.RunAsync(stream, socket, daemonStops);
    }
}
