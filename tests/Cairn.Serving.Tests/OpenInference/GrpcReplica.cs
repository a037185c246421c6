using System.Net;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Tests.OpenInference;

/// <summary>An HTTP/2 server without TLS on loopback that answers a call of gRPC as the test says.</summary>
internal sealed class GrpcReplica : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _asked;
    private int _left;

    private GrpcReplica(Func<HttpContext, Task> answering)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        _app = builder.Build();
        _app.Run(async context =>
        {
            Interlocked.Increment(ref _asked);
            context.Response.ContentType = "application/grpc";
            Headers = context.Request.Headers.ToDictionary(h => h.Key, h => h.Value.ToString(), StringComparer.OrdinalIgnoreCase);
            try
            {
                await answering(context);
            }
            catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
            {
                Interlocked.Increment(ref _left);
            }
        });
    }

    /// <summary>Calls that came.</summary>
    public int Asked => Volatile.Read(ref _asked);

    /// <summary>Calls whose caller went away.</summary>
    public int Left => Volatile.Read(ref _left);

    /// <summary>Of the last call.</summary>
    public IReadOnlyDictionary<string, string> Headers { get; private set; } = new Dictionary<string, string>();

    public ReplicaSpec Spec
    {
        get
        {
            var address = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
            return new ReplicaSpec { Task = TaskId.New(DateTimeOffset.UnixEpoch), Address = new Uri("http://127.0.0.1:1"), GrpcPort = address.Port, Ready = true };
        }
    }

    public static async Task<GrpcReplica> StartAsync(Func<HttpContext, Task> answering)
    {
        var replica = new GrpcReplica(answering);
        await replica._app.StartAsync();
        return replica;
    }

    /// <summary>Ends a call with nothing but a status.</summary>
    public static Func<HttpContext, Task> Refusing(int status) => async context =>
    {
        await context.Request.Body.CopyToAsync(Stream.Null);
        context.Response.Headers["grpc-status"] = status.ToString();
    };

    /// <summary>Answers with the bytes that came.</summary>
    public static async Task Echo(HttpContext context)
    {
        await context.Request.Body.CopyToAsync(context.Response.Body);
        context.Response.AppendTrailer("grpc-status", "0");
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
