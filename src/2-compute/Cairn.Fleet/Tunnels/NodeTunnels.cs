using System.Net.Security;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Tunnels;
using Cairn.Fleet.Link;
using Microsoft.Extensions.Logging;

namespace Cairn.Fleet.Tunnels;

/// <summary>
/// The tunnels that nodes hold open to this server, and the way into them: a node behind NAT is reached through the connection that it made
/// itself. A tunnel belongs to its node's session and ends with it. The node, not the server, decides what may be reached: the port of a
/// service that it runs, and nothing else.
/// </summary>
public sealed partial class NodeTunnels
{
    private static readonly TimeSpan s_prefaceDue = TimeSpan.FromSeconds(10);
    private readonly NodeLinks _links;
    private readonly INodeWork _work;
    private readonly NodeLinkOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly Dictionary<NodeId, Held> _held = [];
    private TaskCompletionSource _arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal NodeTunnels(
        NodeLinks links, INodeWork work, NodeLinkOptions options, TimeProvider time, ILogger<NodeTunnels> logger) =>
        (_links, _work, _options, _time, _logger) = (links, work, options, time, logger);

    /// <summary>
    /// A duplex stream to the port of a service's task. The task's node is found here; where its tunnel is just being opened, it is waited
    /// for.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The port is not 1 to 65,535.</exception>
    /// <exception cref="IOException">There is no such live task, its node is away, or the node refuses; the message says which.</exception>
    public async Task<TunnelStream> DialAsync(TaskId task, int port, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, ushort.MaxValue);
        var tunnel = await FindAsync(task, cancellationToken);
        return await tunnel.OpenAsync(new TunnelTarget(task, port), cancellationToken);
    }

    /// <summary>Serves one connection that speaks the tunnel's protocol, until it ends.</summary>
    internal async Task ServeAsync(SslStream connection, CancellationToken closed)
    {
        if (await GreetAsync(connection, closed) is not { } session)
            return;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(closed, session.Over);
        var mux = new TunnelMux(connection, _options.TunnelStreams);
        var mine = new Held(mux, over);
        Take(session.NodeId, mine);
        LogOpened(_logger, session.Node.Name);
        var reason = await mux.RunAsync(over.Token);
        lock (_gate)
        {
            if (_held.GetValueOrDefault(session.NodeId) == mine)
                _held.Remove(session.NodeId);
        }
        LogEnded(_logger, session.Node.Name, reason);
    }

    /// <summary>Whose tunnel it is; null where that is not proved in time.</summary>
    private async Task<NodeSession?> GreetAsync(SslStream connection, CancellationToken closed)
    {
        using var patience = new CancellationTokenSource(s_prefaceDue, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(closed, patience.Token);
        try
        {
            var preface = new byte[TunnelWire.PrefaceBytes];
            await connection.ReadExactlyAsync(preface, either.Token);
            var session = TunnelWire.TryReadPreface(preface, out var node, out var secret)
                && _links.Current(node) is { IsWelcome: true } current && current.SecretIs(secret) ? current : null;
            await connection.WriteAsync(new[] { session is null ? TunnelWire.Refused : TunnelWire.Welcome }, either.Token);
            return session;
        }
        catch (Exception error) when (error is IOException or OperationCanceledException)
        {
            return null;
        }
    }

    private void Take(NodeId node, Held mine)
    {
        Held? older;
        TaskCompletionSource arrival;
        lock (_gate)
        {
            _held.Remove(node, out older);
            _held.Add(node, mine);
            (arrival, _arrival) = (_arrival, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        }
        arrival.SetResult();
        // The node opens a second one only after it gave up the first.
        older?.End();
    }

    private async Task<TunnelMux> FindAsync(TaskId task, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(_options.TunnelWaitSeconds), _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        NodeId? node = null;
        try
        {
            node = await _work.NodeOfAsync(task, either.Token)
                ?? throw new IOException($"Task {task} is not on any node: it has ended, or is not placed yet.");
            while (true)
            {
                Task arrival;
                lock (_gate)
                {
                    if (_held.TryGetValue(node.Value, out var held))
                        return held.Mux;
                    arrival = _arrival.Task;
                }
                await arrival.WaitAsync(either.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new IOException(node is null ? "This server does not know its jobs yet."
                : $"Node {node} holds no tunnel to this server: it is away, or cannot reach it.");
        }
    }

    private sealed class Held(TunnelMux mux, CancellationTokenSource over)
    {
        public TunnelMux Mux => mux;

        public void End()
        {
            try
            {
                over.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has ended by itself.
            }
        }
    }
}
