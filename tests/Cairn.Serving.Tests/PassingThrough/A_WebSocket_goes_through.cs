using System.Net;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text;
using Cairn.Serving.Gateway.Limits;
using Cairn.Serving.Gateway.Snapshots;
using Cairn.Serving.Tests.Gateway;

namespace Cairn.Serving.Tests.PassingThrough;

public sealed class A_WebSocket_goes_through
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task With_messages_both_ways_and_the_codes_that_it_closes_with(bool tunnelled)
    {
        await using var tunnel = await LoopbackTunnel.StartAsync();
        await using var echo = await EchoSockets.StartAsync();
        await using var host = await GatewayHost.StartAsync(tunnels: tunnel);
        Serve(host, echo.Spec(tunnelled));
        using (var client = await ConnectAsync(host, "/endpoints/web/chat?room=1"))
        {
            Assert.Equal("echo.v1", client.SubProtocol);
            Assert.Equal("hello", await SayAsync(client, "hello"));
            var large = RandomNumberGenerator.GetBytes(1 << 20);
            await client.SendAsync(large, WebSocketMessageType.Binary, true, Token);
            var back = new byte[large.Length];
            for (var at = 0; at < back.Length;)
                at += (await client.ReceiveAsync(back.AsMemory(at), Token)).Count;
            Assert.Equal(large, back);
            await client.CloseAsync((WebSocketCloseStatus)4001, "bye", Token);
            Assert.Equal((4001, "bye"), ((int)client.CloseStatus!.Value, client.CloseStatusDescription));
        }
        Assert.Equal(("/chat?room=1", false, 4001), (echo.Asked, echo.SawKey, (int)echo.ClosedWith!.Value));
        using (var client = await ConnectAsync(host))
        {
            await client.SendAsync("leave"u8.ToArray(), WebSocketMessageType.Text, true, Token);
            var end = await client.ReceiveAsync(new byte[100].AsMemory(), Token);
            Assert.Equal((WebSocketMessageType.Close, 4002), (end.MessageType, (int)client.CloseStatus!.Value));
            await client.CloseOutputAsync(client.CloseStatus.Value, null, Token);
        }
        Assert.Equal(tunnelled, tunnel.Dialled > 0);
        await A_request_survives.UntilAsync(() => host.Account.Parallel == 0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Until_its_replica_dies(bool tunnelled)
    {
        await using var tunnel = await LoopbackTunnel.StartAsync();
        await using var echo = await EchoSockets.StartAsync();
        await using var host = await GatewayHost.StartAsync(tunnels: tunnel);
        var spec = echo.Spec(tunnelled);
        Serve(host, spec);
        using var client = await ConnectAsync(host);
        Assert.Equal("hello", await SayAsync(client, "hello"));
        await client.SendAsync("die"u8.ToArray(), WebSocketMessageType.Text, true, Token);
        await Assert.ThrowsAsync<WebSocketException>(async () => await client.ReceiveAsync(new byte[10].AsMemory(), Token));
        await A_request_survives.UntilAsync(() => host.State.InFlight(spec.Task) == 0 && host.Account.Parallel == 0);
    }

    [Fact]
    public async Task And_its_replica_is_drained_no_sooner_than_it_closes()
    {
        await using var echo = await EchoSockets.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        var spec = echo.Spec(tunnelled: false);
        Serve(host, spec);
        using var client = await ConnectAsync(host);
        Assert.Equal("one", await SayAsync(client, "one"));
        Assert.Equal(1, host.State.InFlight(spec.Task));
        Serve(host, spec with { Draining = true });
        Assert.Equal("two", await SayAsync(client, "two"));
        Assert.Equal(1, host.State.InFlight(spec.Task));
        await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Token);
        await A_request_survives.UntilAsync(() => host.State.InFlight(spec.Task) == 0);
    }

    [Fact]
    public async Task As_one_request_of_a_key_for_as_long_as_it_is_open()
    {
        await using var echo = await EchoSockets.StartAsync();
        await using var host = await GatewayHost.StartAsync();
        host.Limits = new KeyLimits { ParallelRequests = 1 };
        Serve(host, echo.Spec(tunnelled: false));
        using (var client = await ConnectAsync(host))
        {
            var refused = await Assert.ThrowsAsync<WebSocketException>(() => ConnectAsync(host));
            Assert.Contains("429", refused.Message, StringComparison.Ordinal);
            await client.CloseAsync(WebSocketCloseStatus.NormalClosure, null, Token);
        }
        await A_request_survives.UntilAsync(() => host.Account.Parallel == 0);
        using var again = await ConnectAsync(host);
        Assert.Equal("hello", await SayAsync(again, "hello"));
    }

    private static void Serve(GatewayHost host, ReplicaSpec replica) => host.Serve("/endpoints/web", route => route with
    {
        Targets = [(PoolTarget)route.Targets[0] with { Replicas = [replica] }],
    });

    private static async Task<ClientWebSocket> ConnectAsync(GatewayHost host, string path = "/endpoints/web/")
    {
        var client = new ClientWebSocket();
        client.Options.AddSubProtocol("echo.v1");
        client.Options.SetRequestHeader("Authorization", "Bearer " + host.Key);
        try
        {
            await client.ConnectAsync(new UriBuilder(new Uri(host.Client.BaseAddress!, path)) { Scheme = "ws" }.Uri, Token);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    private static async Task<string> SayAsync(ClientWebSocket client, string text)
    {
        await client.SendAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text, true, Token);
        var buffer = new byte[1000];
        var heard = await client.ReceiveAsync(buffer.AsMemory(), Token);
        return Encoding.UTF8.GetString(buffer, 0, heard.Count);
    }
}
