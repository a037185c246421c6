using System.Net;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Calls;
using Cairn.Serving.Gateways;

namespace Cairn.Serving.Alone;

/// <summary>Replicas behind NAT are reached through the server, which holds their nodes' tunnels, while it is there.</summary>
internal sealed class TunnelsThroughServer(ServerLink link) : ITunnels
{
    public async Task<Stream> DialAsync(TaskId task, int port, CancellationToken cancellationToken)
    {
        if (link.IsAway)
            throw new IOException($"Task {task} is reached through the server, which is away.");
        var request = new HttpRequestMessage(HttpMethod.Get, $"tunnels/{task.Value}/{port}");
        request.Headers.Connection.Add("Upgrade");
        request.Headers.Upgrade.Add(new(GatewayTunnel.Protocol));
        HttpResponseMessage response;
        try
        {
            response = await link.OpenAsync(request, cancellationToken);
        }
        catch (Exception failed) when (failed is HttpRequestException or ServerRefusedException)
        {
            throw new IOException($"Task {task} is reached through the server: {failed.Message}", failed);
        }
        if (response.StatusCode == HttpStatusCode.SwitchingProtocols)
            return await response.Content.ReadAsStreamAsync(cancellationToken);
        using (response)
            throw new IOException(await response.Content.ReadAsStringAsync(cancellationToken));
    }
}
