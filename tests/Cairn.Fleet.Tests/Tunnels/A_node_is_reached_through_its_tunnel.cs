using System.Security.Cryptography;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Tunnels;
using Cairn.Fleet.Link;
using Cairn.Fleet.Tests.Link;
using Cairn.Fleet.Tunnels;
using Google.Protobuf;
using Grpc.Net.Client;

namespace Cairn.Fleet.Tests.Tunnels;

public sealed class A_node_is_reached_through_its_tunnel
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Bytes_go_both_ways()
    {
        await using var here = await World.StartAsync();
        await using var tunnel = await here.OpenAsync();
        var sent = RandomNumberGenerator.GetBytes(1 << 20);
        await using var stream = await here.DialAsync();
        var writing = Task.Run(async () =>
        {
            await stream.WriteAsync(sent, Stop);
            stream.EndWrites();
        }, Stop);
        var back = new MemoryStream();
        await stream.CopyToAsync(back, Stop);
        await writing;
        Assert.Equal(sent, back.ToArray());
    }

    [Fact]
    public async Task The_node_is_told_which_port_of_which_task()
    {
        var asked = new TaskCompletionSource<TunnelTarget>();
        await using var here = await World.StartAsync();
        await using var tunnel = await here.OpenAsync((stream, target) =>
        {
            asked.SetResult(target);
            stream.Abort("the node does not run it");
            return Task.CompletedTask;
        });
        var error = await Assert.ThrowsAsync<IOException>(here.DialAsync);
        Assert.Contains("does not run it", error.Message, StringComparison.Ordinal);
        Assert.Equal(new TunnelTarget(here.Task, 8_000), await asked.Task);
    }

    [Fact]
    public async Task A_tunnel_that_is_just_coming_is_waited_for()
    {
        await using var here = await World.StartAsync(waitSeconds: 60);
        var dialling = here.DialAsync();
        Assert.False(dialling.IsCompleted);
        await using var tunnel = await here.OpenAsync();
        await (await dialling.WaitAsync(s_patience, Stop)).DisposeAsync();
    }

    [Fact]
    public async Task A_node_without_a_tunnel_is_an_error_in_words()
    {
        await using var here = await World.StartAsync(waitSeconds: 0);
        var error = await Assert.ThrowsAsync<IOException>(here.DialAsync);
        Assert.Contains("holds no tunnel", error.Message, StringComparison.Ordinal);
        var unknown = await Assert.ThrowsAsync<IOException>(
            () => here.Server.Get<NodeTunnels>().DialAsync(TaskId.New(TimeProvider.System.GetUtcNow()), 8_000, Stop));
        Assert.Contains("not on any node", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_that_is_not_the_sessions_opens_nothing()
    {
        await using var here = await World.StartAsync();
        Assert.Null(await TestTunnel.OpenAsync(here.Server, here.Node, ByteString.CopyFrom(new byte[32])));
        await using var tls = await TestTunnel.ConnectAsync(here.Server);
        await tls.WriteAsync(RandomNumberGenerator.GetBytes(TunnelWire.PrefaceBytes), Stop);
        var answer = new byte[1];
        await tls.ReadExactlyAsync(answer, Stop);
        Assert.Equal(TunnelWire.Refused, answer[0]);
        Assert.Equal(0, await tls.ReadAsync(answer, Stop));
    }

    [Fact]
    public async Task A_node_that_goes_breaks_its_streams_at_once()
    {
        await using var here = await World.StartAsync();
        await using var tunnel = await here.OpenAsync();
        await using var stream = await here.DialAsync();
        var read = stream.ReadAsync(new byte[1], Stop).AsTask();
        await tunnel.DisposeAsync();
        await Assert.ThrowsAsync<IOException>(() => read.WaitAsync(s_patience, Stop));
    }

    [Fact]
    public async Task A_session_that_is_replaced_takes_its_tunnel_along_and_the_next_opens_another()
    {
        await using var here = await World.StartAsync();
        await using var old = await here.OpenAsync();
        await using var stream = await here.DialAsync();
        var read = stream.ReadAsync(new byte[1], Stop).AsTask();
        await using var again = new TestStream(here.Channel);
        await again.AttachAsync(here.Node, bootEpoch: 2);
        await Assert.ThrowsAsync<IOException>(() => read.WaitAsync(s_patience, Stop));
        Assert.Null(await TestTunnel.OpenAsync(here.Server, here.Node, here.Secret));
        await using var tunnel = await TestTunnel.OpenAsync(here.Server, here.Node, again.Session);
        await using var fresh = await here.DialAsync();
        await fresh.WriteAsync(new byte[] { 7 }, Stop);
        await fresh.ReadExactlyAsync(new byte[1], Stop);
    }

    [Fact]
    public async Task A_second_tunnel_of_a_node_takes_the_place_of_the_first()
    {
        await using var here = await World.StartAsync();
        await using var first = await here.OpenAsync();
        await using var second = await here.OpenAsync();
        await first.Running.WaitAsync(s_patience, Stop);
        await using var stream = await here.DialAsync();
        Assert.Equal(1, second.Mux.StreamCount);
    }

    private sealed class World : IAsyncDisposable
    {
        private readonly TestStream _stream;

        private World(LinkServer server, GrpcChannel channel, TestNode node, TestStream stream) =>
            (Server, Channel, Node, _stream) = (server, channel, node, stream);

        public LinkServer Server { get; }

        public GrpcChannel Channel { get; }

        public TestNode Node { get; }

        public TaskId Task { get; } = TaskId.New(TimeProvider.System.GetUtcNow());

        public ByteString Secret => _stream.Session;

        /// <summary>A server, an attached node, and a task that is a service on it.</summary>
        public static async Task<World> StartAsync(int waitSeconds = 10)
        {
            var server = await LinkServer.StartAsync(s => s.LinkOptions.TunnelWaitSeconds = waitSeconds);
            var channel = server.Connect();
            var node = await TestNode.JoinAsync(channel, await server.TokenAsync());
            var stream = new TestStream(channel);
            await stream.AttachAsync(node);
            var world = new World(server, channel, node, stream);
            server.Work.Services[world.Task] = node.Id;
            return world;
        }

        public async Task<TestTunnel> OpenAsync(Func<TunnelStream, TunnelTarget, Task>? accept = null) =>
            await TestTunnel.OpenAsync(Server, Node, Secret, accept) ?? throw new InvalidOperationException("the session was refused");

        public Task<TunnelStream> DialAsync() => Server.Get<NodeTunnels>().DialAsync(Task, 8_000, Stop);

        public async ValueTask DisposeAsync()
        {
            await _stream.DisposeAsync();
            Channel.Dispose();
            Node.Dispose();
            await Server.DisposeAsync();
        }
    }
}
