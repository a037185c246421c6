using Cairn.Contracts.Ids;
using Cairn.Fleet.Tunnels;
using Cairn.Serving.Gateway.Calls;

namespace Cairn.Serving.Endpoints;

/// <summary>The gateway's way to replicas: the tunnels that their nodes hold open to this server.</summary>
internal sealed class NodeTunnelDialer(NodeTunnels tunnels) : ITunnels
{
    public async Task<Stream> DialAsync(TaskId task, int port, CancellationToken cancellationToken) =>
        await tunnels.DialAsync(task, port, cancellationToken);
}
