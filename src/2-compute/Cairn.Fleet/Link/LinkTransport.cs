using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using Cairn.Fleet.Tunnels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace Cairn.Fleet.Link;

/// <summary>
/// Kestrel's transport for the endpoints where nodes dial in. A tunnel keeps its socket for itself: behind Kestrel's pipes it would be read
/// in pieces of 4 KiB, which takes most of its throughput.
/// </summary>
internal sealed class LinkTransport(
    LinkCertificates certificates, LinkAddress address, NodeTunnels tunnels, TimeProvider time, IOptions<SocketTransportOptions> options, ILoggerFactory loggers)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector, IDisposable
{
    private readonly ConcurrentDictionary<EndPoint, bool> _endpoints = new(ReferenceEqualityComparer.Instance);
    private readonly SslStreamCertificateContext _certificate = SslStreamCertificateContext.Create(certificates.Server, null, offline: true);
    private readonly SocketConnectionContextFactory _kestrel = new(
        new SocketConnectionFactoryOptions
        {
            IOQueueCount = options.Value.IOQueueCount,
            MaxReadBufferSize = options.Value.MaxReadBufferSize,
            MaxWriteBufferSize = options.Value.MaxWriteBufferSize,
            WaitForDataBeforeAllocatingBuffer = options.Value.WaitForDataBeforeAllocatingBuffer,
        },
        loggers.CreateLogger<LinkTransport>());

    /// <summary>Nodes dial in here.</summary>
    public void Take(EndPoint endpoint) => _endpoints[endpoint] = true;

    public bool CanBind(EndPoint endpoint) => _endpoints.ContainsKey(endpoint);

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var socket = options.Value.CreateBoundListenSocket(endpoint);
        try
        {
            socket.Listen(options.Value.Backlog);
            if (socket.LocalEndPoint is IPEndPoint { Port: var port })
                address.Opened(port);
            var listener = new LinkListener(socket, _kestrel, new TunnelDoor(tunnels, _certificate, time), time);
            return ValueTask.FromResult<IConnectionListener>(listener);
        }
        catch (Exception error)
        {
            socket.Dispose();
            if (error is System.Net.Sockets.SocketException { SocketErrorCode: System.Net.Sockets.SocketError.AddressAlreadyInUse })
                throw new AddressInUseException(error.Message, error);
            throw;
        }
    }

    public void Dispose() => _kestrel.Dispose();
}
