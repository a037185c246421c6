using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Cairn.Serving.Gateway.Listening;

/// <summary>
/// HTTP/1.1 and HTTP/2 on one port without TLS. A client of gRPC begins with HTTP/2's preface (RFC 9113, section 3.4), which no request of HTTP/1.1 begins with; Kestrel by itself
/// takes every connection without ALPN for HTTP/1.1. Such a connection is handed over to a second listener that has no port and speaks HTTP/2 only.
/// </summary>
public sealed class ClearTextHttp2 : EndPoint
{
    private readonly Channel<ConnectionContext> _handed = Channel.CreateUnbounded<ConnectionContext>();

    internal ChannelReader<ConnectionContext> Handed => _handed.Reader;

    /// <summary>Adds what the second listener needs.</summary>
    public static void AddTo(IServiceCollection services) => services.AddSingleton<IConnectionListenerFactory, HandedOverListenerFactory>();

    /// <summary>Looks at how each connection of a port without TLS begins.</summary>
    public void Sniff(ListenOptions listen)
    {
        ArgumentNullException.ThrowIfNull(listen);
        // Whoever says nothing for so long is left to HTTP/1.1, which closes it.
        var patience = listen.KestrelServerOptions.Limits.KeepAliveTimeout;
        listen.Use(next => async connection =>
        {
            if (await BeginsAsync(connection, patience))
                await HandOverAsync(connection);
            else
                await next(connection);
        });
    }

    /// <summary>Adds the second listener. Comes after the ports, so that those are the first of the server's addresses.</summary>
    public void Listen(KestrelServerOptions kestrel)
    {
        ArgumentNullException.ThrowIfNull(kestrel);
        kestrel.Listen(this, listen => listen.Protocols = HttpProtocols.Http2);
    }

    public override string ToString() => "http2://handed-over";

    internal void Close() => _handed.Writer.TryComplete();

    private async Task HandOverAsync(ConnectionContext connection)
    {
        await using var handed = new HandedOverConnection(connection);
        if (_handed.Writer.TryWrite(handed))
            await handed.Over;
    }

    private static async Task<bool> BeginsAsync(ConnectionContext connection, TimeSpan patience)
    {
        using var silence = new CancellationTokenSource(patience);
        var input = connection.Transport.Input;
        while (true)
        {
            ReadResult read;
            try
            {
                read = await input.ReadAsync(silence.Token);
            }
            catch (Exception gone) when (gone is OperationCanceledException or IOException)
            {
                return false;
            }
            var begins = Begins(read.Buffer);
            input.AdvanceTo(read.Buffer.Start, begins is null ? read.Buffer.End : read.Buffer.Start);
            if (begins is { } known)
                return known;
            if (read.IsCompleted)
                return false;
        }
    }

    /// <summary>Whether bytes begin with the preface; null where there are too few to tell.</summary>
    internal static bool? Begins(in ReadOnlySequence<byte> bytes)
    {
        var preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;
        Span<byte> first = stackalloc byte[preface.Length];
        var count = (int)Math.Min(first.Length, bytes.Length);
        bytes.Slice(0, count).CopyTo(first);
        return !preface.StartsWith(first[..count]) ? false : count == preface.Length ? true : null;
    }
}
