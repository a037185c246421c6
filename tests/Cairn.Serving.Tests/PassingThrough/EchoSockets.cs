using System.Net;
using System.Net.WebSockets;
using System.Text;
using Cairn.Contracts.Ids;
using Cairn.Serving.Gateway.Snapshots;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Tests.PassingThrough;

/// <summary>A server of WebSockets on loopback that says again what it hears; to <c>leave</c> it closes with 4002, to <c>die</c> it breaks off.</summary>
internal sealed class EchoSockets : IAsyncDisposable
{
    private readonly WebApplication _app;

    private EchoSockets()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.UseWebSockets();
        _app.Run(ServeAsync);
    }

    public string? Asked { get; private set; }

    public bool SawKey { get; private set; }

    public WebSocketCloseStatus? ClosedWith { get; private set; }

    public Uri Address => new(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());

    public static async Task<EchoSockets> StartAsync()
    {
        var sockets = new EchoSockets();
        await sockets._app.StartAsync();
        return sockets;
    }

    public ReplicaSpec Spec(bool tunnelled) => new() { Task = TaskId.New(DateTimeOffset.UnixEpoch), Address = Address, Ready = true, Tunnelled = tunnelled };

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private async Task ServeAsync(HttpContext context)
    {
        (Asked, SawKey) = (context.Request.Path + context.Request.QueryString, context.Request.Headers.Authorization.Count > 0);
        using var socket = await context.WebSockets.AcceptWebSocketAsync("echo.v1");
        var buffer = new byte[64 << 10];
        while (true)
        {
            var heard = await socket.ReceiveAsync(buffer.AsMemory(), context.RequestAborted);
            if (heard.MessageType == WebSocketMessageType.Close)
            {
                ClosedWith = socket.CloseStatus;
                await socket.CloseOutputAsync(socket.CloseStatus!.Value, socket.CloseStatusDescription, context.RequestAborted);
                return;
            }
            var text = Encoding.UTF8.GetString(buffer, 0, heard.Count);
            if (text == "die")
            {
                context.Abort();
                return;
            }
            if (text == "leave")
            {
                await socket.CloseAsync((WebSocketCloseStatus)4002, "enough", context.RequestAborted);
                return;
            }
            await socket.SendAsync(buffer.AsMemory(0, heard.Count), heard.MessageType, heard.EndOfMessage, context.RequestAborted);
        }
    }
}
