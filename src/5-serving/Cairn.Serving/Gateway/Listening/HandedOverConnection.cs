using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace Cairn.Serving.Gateway.Listening;

/// <summary>A connection that another listener accepted. Its owner stays that listener: ending it here only says that it is over.</summary>
internal sealed class HandedOverConnection(ConnectionContext connection) : ConnectionContext
{
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends when the second listener is done with it.</summary>
    public Task Over => _over.Task;

    public override string ConnectionId { get; set; } = connection.ConnectionId;

    /// <summary>What the second listener sets is for itself; what it reads may be the first's.</summary>
    public override IFeatureCollection Features { get; } = new FeatureCollection(connection.Features);

    public override IDictionary<object, object?> Items { get; set; } = connection.Items;

    public override IDuplexPipe Transport { get; set; } = connection.Transport;

    public override EndPoint? LocalEndPoint { get; set; } = connection.LocalEndPoint;

    public override EndPoint? RemoteEndPoint { get; set; } = connection.RemoteEndPoint;

    public override CancellationToken ConnectionClosed { get; set; } = connection.ConnectionClosed;

    public override void Abort(ConnectionAbortedException abortReason) => connection.Abort(abortReason);

    public override ValueTask DisposeAsync()
    {
        _over.TrySetResult();
        return base.DisposeAsync();
    }
}

/// <summary>Gives the second listener the connections that were handed over.</summary>
internal sealed class HandedOverListenerFactory : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => endpoint is ClearTextHttp2;

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult<IConnectionListener>(new Listener((ClearTextHttp2)endpoint));

    private sealed class Listener(ClearTextHttp2 origin) : IConnectionListener
    {
        public EndPoint EndPoint => origin;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
            await origin.Handed.WaitToReadAsync(cancellationToken) && origin.Handed.TryRead(out var connection) ? connection : null;

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
        {
            origin.Close();
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => UnbindAsync();
    }
}
