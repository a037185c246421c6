using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Cairn.Fleet.Link;

/// <summary>Sets a Kestrel endpoint up for nodes.</summary>
public static class LinkListening
{
    /// <summary>TLS with the server's own certificate, and over it HTTP/2 or a node's tunnel, and nothing else, on this endpoint.</summary>
    public static void UseLinkCertificates(this ListenOptions listen)
    {
        ArgumentNullException.ThrowIfNull(listen);
        listen.Protocols = HttpProtocols.Http2;
        listen.UseHttps(listen.ApplicationServices.GetRequiredService<LinkCertificates>().Server);
        listen.ApplicationServices.GetRequiredService<LinkTransport>().Take(listen.EndPoint);
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
