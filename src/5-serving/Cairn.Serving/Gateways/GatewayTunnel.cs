using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Calls;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Cairn.Serving.Gateways;

/// <summary>Takes a gateway's connection on to a replica, through the tunnel that the replica's node holds open to this server. Bytes are passed on unread.</summary>
internal static class GatewayTunnel
{
    /// <summary>What is asked for in the request's <c>Upgrade</c>.</summary>
    public const string Protocol = "cairn-tunnel";

    public static async Task ServeAsync(HttpContext context, TaskId task, int port, ITunnels tunnels)
    {
        var upgrade = context.Features.Get<IHttpUpgradeFeature>();
        if (upgrade is not { IsUpgradableRequest: true } || port is < 1 or > ushort.MaxValue)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            await context.Response.WriteAsync($"Expected 'Upgrade: {Protocol}' over HTTP/1.1, and a port from 1 to 65535.", context.RequestAborted);
            return;
        }
        Stream inside;
        try
        {
            inside = await tunnels.DialAsync(task, port, context.RequestAborted);
        }
        catch (IOException away)
        {
            context.Response.StatusCode = StatusCodes.Status502BadGateway;
            await context.Response.WriteAsync(away.Message, context.RequestAborted);
            return;
        }
        await using (inside)
        {
            // A connection that waits for its next request sends nothing for long.
            if (context.Features.Get<IHttpMinRequestBodyDataRateFeature>() is { } reading)
                reading.MinDataRate = null;
            if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } writing)
                writing.MinDataRate = null;
            context.Response.Headers.Upgrade = Protocol;
            await using var outside = await upgrade.UpgradeAsync();
            await PassAsync(inside, outside, context.RequestAborted);
        }
    }

    /// <summary>Both ways, until either ends or breaks.</summary>
    public static async Task PassAsync(Stream one, Stream other, CancellationToken cancellationToken)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task[] both = [CopyAsync(one, other), CopyAsync(other, one)];
        await Task.WhenAny(both);
        await over.CancelAsync();
        await Task.WhenAll(both);

        async Task CopyAsync(Stream from, Stream to)
        {
            try
            {
                await from.CopyToAsync(to, 32 << 10, over.Token);
            }
            catch (Exception ended) when (ended is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // One side is gone: the other is closed by the caller.
            }
        }
    }
}
