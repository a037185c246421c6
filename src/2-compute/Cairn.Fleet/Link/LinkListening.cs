using Cairn.Contracts.Tunnels;
using Cairn.Fleet.Tunnels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.DependencyInjection;

namespace Cairn.Fleet.Link;

/// <summary>Sets a Kestrel endpoint up for nodes.</summary>
public static class LinkListening
{
    /// <summary>TLS with the server's own certificate, and over it HTTP/2 or a node's tunnel, and nothing else, on this endpoint.</summary>
    public static void UseLinkCertificates(this ListenOptions listen)
    {
        ArgumentNullException.ThrowIfNull(listen);
        var certificates = listen.ApplicationServices.GetRequiredService<LinkCertificates>();
        listen.Protocols = HttpProtocols.Http2;
        listen.UseHttps(https =>
        {
            https.ServerCertificate = certificates.Server;
            https.OnAuthenticate = (_, tls) => tls.ApplicationProtocols!.Add(TunnelWire.Protocol);
        });
        var tunnels = listen.ApplicationServices.GetRequiredService<NodeTunnels>();
        listen.Use(next => connection => connection.Features.Get<ISslStreamFeature>() is { SslStream: var stream }
            && stream.NegotiatedApplicationProtocol == TunnelWire.Protocol
            ? tunnels.ServeAsync(stream, connection.ConnectionClosed)
            : next(connection));
    }

    /// <summary>Finds dead connections by HTTP/2 pings, and lets one connection carry many daemons' streams.</summary>
    public static void UseLinkLimits(this KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(20);
        kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
        kestrel.Limits.Http2.MaxStreamsPerConnection = 1_024;
    }
}
