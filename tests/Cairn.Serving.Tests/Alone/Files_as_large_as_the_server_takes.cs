using System.Collections.Frozen;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;
using Cairn.Contracts.Identity;
using Cairn.Contracts.Ids;
using Cairn.Serving.Alone;
using Cairn.Serving.Endpoints;
using Cairn.Serving.Files;
using Cairn.Serving.Gateway;
using Cairn.Serving.Gateway.Pools;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Gateways;
using Cairn.Serving.Tests.Gateway;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Cairn.Serving.Tests.Alone;

/// <summary>A gateway that runs alone follows a server's real feed, and passes uploads on to it.</summary>
public sealed class Files_as_large_as_the_server_takes : IDisposable
{
    private static readonly DateTimeOffset s_now = TimeProvider.System.GetUtcNow();
    private readonly string _folder = Directory.CreateTempSubdirectory("cairn-passed-").FullName;
    private readonly ApiKey _key = ApiKey.New(s_now);
    private readonly Channel<long?> _passed = Channel.CreateUnbounded<long?>();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(1000, 2 << 20)]
    [InlineData(1L << 30, (1L << 30) + (2 << 20))]
    public async Task Are_refused_by_a_gateway_alone_where_the_server_takes_none_so_large(long most, long upload)
    {
        await using var server = await ServerAsync(most);
        await using var gateway = await FollowAsync(server);
        Assert.Contains(" 413 ", await UploadAsync(gateway, upload), StringComparison.Ordinal);
        Assert.Equal(0, _passed.Reader.Count);
    }

    [Fact]
    public async Task Are_passed_on_where_the_server_takes_more_than_is_usual()
    {
        await using var server = await ServerAsync(1L << 30);
        await using (var gateway = await FollowAsync(server))
        {
            await UploadAsync(gateway, 1L << 30);
            Assert.Equal(1L << 30, await _passed.Reader.ReadAsync(Token));
        }

        // What was told is known after a restart too.
        await using var again = Alone("http://127.0.0.1:1");
        Assert.True(again.MapGatewayAlone());
        Assert.Equal(1L << 30, again.Services.GetRequiredService<AloneSnapshots>().MostFileBytes);
    }

    private async Task<WebApplication> ServerAsync(long mostFileBytes)
    {
        var state = new GatewayState(new GatewayOptions());
        var key = new GatewayKey { Id = _key.Id, Name = "app", SecretHash = _key.SecretHash(), Project = ProjectId.New(s_now), Models = [] };
        state.Push(new GatewaySnapshot(1, FrozenDictionary<ModelName, ModelRoute>.Empty, new[] { key }.ToFrozenDictionary(k => k.Id)));
        var app = Quiet().Build();
        var lifetime = app.Services.GetRequiredService<IHostApplicationLifetime>();
        var feed = new GatewayFeed(state, new GatewayBoard(TimeProvider.System), new LastingKeys(), new FilesOptions { MostBytes = mostFileBytes }, lifetime, TimeProvider.System);
        app.MapGet("/api/v1/gateway/feed", (HttpContext context, Guid gateway) => feed.TellAsync(context, gateway, _key.Id));
        app.MapPost("/v1/files", (HttpContext context) =>
        {
            _passed.Writer.TryWrite(context.Request.ContentLength);
            context.Abort();
        });
        await app.StartAsync(Token);
        return app;
    }

    private async Task<WebApplication> FollowAsync(WebApplication server)
    {
        var app = Alone(server.Urls.Single());
        app.UseServing();
        app.MapGatewayAlone();
        await app.StartAsync(Token);
        await A_request_survives.UntilAsync(() => !app.Services.GetRequiredService<ServerLink>().IsAway);
        return app;
    }

    private WebApplication Alone(string server)
    {
        var builder = Quiet();
        builder.Services.AddSingleton(TimeProvider.System).AddGatewayAlone(
            new AloneOptions { Server = new Uri(server), Key = _key.ToString(), Name = "edge", DataFolder = _folder }, TimeProvider.System);
        return builder.Build();
    }

    private static WebApplicationBuilder Quiet()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        return builder;
    }

    /// <summary>
    /// Says how large a form comes, and sends none of it: who refuses it need not read it. Asks again where the gateway takes a server that a
    /// busy machine holds up for away.
    /// </summary>
    /// <returns>The answer's first line.</returns>
    private async Task<string> UploadAsync(WebApplication gateway, long bytes)
    {
        while (true)
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, new Uri(gateway.Urls.Single()).Port, Token);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /v1/files HTTP/1.1\r\nHost: edge\r\nAuthorization: Bearer {_key}\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: {bytes}\r\n\r\n"), Token);
            using var answer = new StreamReader(client.GetStream(), Encoding.ASCII);
            var line = await answer.ReadLineAsync(Token) ?? "";
            if (_passed.Reader.Count > 0 || !line.Contains(" 503 ", StringComparison.Ordinal))
                return line;
        }
    }

    private sealed class LastingKeys : IGatewayKeys
    {
        public long Version => 1;

        public event Action? Changed
        {
            add { }
            remove { }
        }

        public IReadOnlyCollection<GatewayKey> All() => [];

        public bool Lives(KeyId key) => true;
    }
}
