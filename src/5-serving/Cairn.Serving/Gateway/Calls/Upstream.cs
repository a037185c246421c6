using System.Globalization;
using System.Net.Sockets;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Snapshots;

namespace Cairn.Serving.Gateway.Calls;

/// <summary>Opens a connection to a port inside a node, through the tunnel that the node opened. Implemented by whoever holds the tunnels.</summary>
public interface ITunnels
{
    /// <summary>A duplex stream to the task's port.</summary>
    /// <exception cref="IOException">The node is away, or nothing listens there.</exception>
    Task<Stream> DialAsync(TaskId task, int port, CancellationToken cancellationToken);
}

/// <summary>Sends requests to replicas and providers over pooled connections, direct or through a node's tunnel.</summary>
internal sealed class Upstream : IDisposable
{
    private const string TunnelSuffix = ".tunnel.invalid"; // RFC 6761: never a real name
    private readonly HttpMessageInvoker _http;
    private readonly ITunnels? _tunnels;

    public Upstream(GatewayOptions options, ITunnels? tunnels)
    {
        _tunnels = tunnels;
        _http = new HttpMessageInvoker(new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            UseProxy = false,
            AutomaticDecompression = System.Net.DecompressionMethods.None,
            ActivityHeadersPropagator = null,
            ConnectTimeout = options.ConnectTimeout,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
            PooledConnectionLifetime = TimeSpan.FromMinutes(10),
            EnableMultipleHttp2Connections = true,
            // A stream of gRPC may rest for long; a machine that is gone says nothing either.
            KeepAlivePingDelay = TimeSpan.FromSeconds(20),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(20),
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            ConnectCallback = ConnectAsync,
        });
    }

    /// <summary>The connections themselves, for who brings his own way of forwarding.</summary>
    public HttpMessageInvoker Http => _http;

    /// <summary>The address of a path at a replica.</summary>
    public static Uri AddressOf(ReplicaSpec replica, string path) => replica.Tunnelled
        ? new Uri(string.Create(CultureInfo.InvariantCulture, $"http://{replica.Task.Value:N}{TunnelSuffix}:{replica.Address.Port}{path}"))
        : new Uri(replica.Address, path);

    /// <summary>The address of a path where a replica speaks gRPC.</summary>
    public static Uri GrpcAddressOf(ReplicaSpec replica, string path) =>
        AddressOf(replica with { Address = new UriBuilder(replica.Address) { Port = replica.GrpcPort }.Uri }, path);

    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.TryAddWithoutValidation("User-Agent", "cairn-gateway");
        return _http.SendAsync(request, cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var host = context.DnsEndPoint.Host;
        if (host.EndsWith(TunnelSuffix, StringComparison.Ordinal))
        {
            var task = new TaskId(Guid.ParseExact(host.AsSpan(0, host.Length - TunnelSuffix.Length), "N"));
            return _tunnels is null
                ? throw new IOException($"Task {task} is reached through a tunnel, and this gateway has none.")
                : await _tunnels.DialAsync(task, context.DnsEndPoint.Port, cancellationToken);
        }
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
