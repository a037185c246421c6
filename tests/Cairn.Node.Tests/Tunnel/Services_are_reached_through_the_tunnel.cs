using System.Security.Cryptography;
using Cairn.Contracts.Ids;
using Cairn.Contracts.Tunnels;
using Cairn.Contracts.Wire;
using Cairn.Node.Tests.Harness;

namespace Cairn.Node.Tests.Tunnel;

public sealed class Services_are_reached_through_the_tunnel
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(2);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_megabyte_goes_both_ways_and_each_side_ends_alone()
    {
        using var service = new LoopbackServer();
        await using var fixture = await Fixture.StartAsync();
        var start = await ServeAsync(fixture, service.Port);
        var sent = RandomNumberGenerator.GetBytes(1 << 20);
        await using var stream = await DialAsync(fixture, start, service.Port);
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
    public async Task The_port_of_gRPC_is_reached_as_well()
    {
        using var service = new LoopbackServer();
        using var grpc = new LoopbackServer();
        await using var fixture = await Fixture.StartAsync();
        var start = fixture.NewTask("sleep 600", task => (task.ServicePort, task.ServiceGrpcPort) = (service.Port, grpc.Port));
        await RunningAsync(fixture, start);
        await using var stream = await DialAsync(fixture, start, grpc.Port);
        await stream.WriteAsync("hello"u8.ToArray(), Stop);
        stream.EndWrites();
        var back = new MemoryStream();
        await stream.CopyToAsync(back, Stop);
        Assert.Equal("hello"u8.ToArray(), back.ToArray());
    }

    [Fact]
    public async Task Nothing_else_on_the_node_is_reached()
    {
        using var service = new LoopbackServer();
        using var other = new LoopbackServer();
        await using var fixture = await Fixture.StartAsync();
        var start = await ServeAsync(fixture, service.Port);
        var plain = fixture.NewTask("sleep 600");
        await RunningAsync(fixture, plain);

        Assert.Contains("is not a port", await RefusalAsync(fixture, start.TaskId, other.Port), StringComparison.Ordinal);
        Assert.Contains("does not run a service", await RefusalAsync(fixture, plain.TaskId, service.Port), StringComparison.Ordinal);
        var foreign = Guid.CreateVersion7().ToString();
        Assert.Contains("does not run a service", await RefusalAsync(fixture, foreign, service.Port), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_does_not_listen_or_has_ended_is_an_error_in_words()
    {
        int port;
        using (var gone = new LoopbackServer())
            port = gone.Port;
        await using var fixture = await Fixture.StartAsync();
        var start = await ServeAsync(fixture, port);
        Assert.Contains($"does not listen on 127.0.0.1:{port}", await RefusalAsync(fixture, start.TaskId, port), StringComparison.Ordinal);
        fixture.Fleet.Send(new ServerMessage { Stop = new StopTask { TaskId = start.TaskId, Epoch = 1, GraceSeconds = 1 } });
        await fixture.EndAsync(start);
        Assert.Contains("does not run a service", await RefusalAsync(fixture, start.TaskId, port), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_hundred_readers_that_do_not_read_hold_up_nobody()
    {
        using var service = new LoopbackServer(LoopbackServer.FloodAsync);
        await using var fixture = await Fixture.StartAsync();
        var start = await ServeAsync(fixture, service.Port);
        var slow = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => DialAsync(fixture, start, service.Port)));
        await using var quick = await DialAsync(fixture, start, service.Port);
        var buffer = new byte[64 << 10];
        for (var read = 0L; read < 4 << 20;)
            read += await quick.ReadAsync(buffer, Stop).AsTask().WaitAsync(s_patience, Stop);
        foreach (var stream in slow)
        {
            await stream.ReadExactlyAsync(buffer, Stop);
            await stream.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_long_lived_stream_carries_messages_as_they_come()
    {
        using var service = new LoopbackServer();
        await using var fixture = await Fixture.StartAsync();
        var start = await ServeAsync(fixture, service.Port);
        await using var stream = await DialAsync(fixture, start, service.Port);
        var message = new byte[37];
        for (var turn = 0; turn < 500; turn++)
        {
            message.AsSpan().Fill((byte)turn);
            await stream.WriteAsync(message, Stop);
            var back = new byte[message.Length];
            await stream.ReadExactlyAsync(back, Stop);
            Assert.Equal(message, back);
        }
    }

    [Fact]
    public async Task A_client_that_leaves_closes_the_services_connection()
    {
        var closed = new TaskCompletionSource();
        using var service = new LoopbackServer(async stream =>
        {
            try
            {
                await LoopbackServer.FloodAsync(stream);
            }
            finally
            {
                closed.SetResult();
            }
        });
        await using var fixture = await Fixture.StartAsync();
        var start = await ServeAsync(fixture, service.Port);
        var stream = await DialAsync(fixture, start, service.Port);
        await stream.ReadExactlyAsync(new byte[1], Stop);
        await stream.DisposeAsync();
        await closed.Task.WaitAsync(s_patience, Stop);
    }

    [Fact]
    public async Task A_killed_node_breaks_its_streams_at_once()
    {
        using var service = new LoopbackServer();
        await using var fixture = await Fixture.StartAsync(daemon: false);
        await fixture.StartProcessAsync();
        var start = await ServeAsync(fixture, service.Port);
        await using var stream = await DialAsync(fixture, start, service.Port);
        var read = stream.ReadAsync(new byte[1], Stop).AsTask();
        await fixture.KillProcessAsync();
        await Assert.ThrowsAsync<IOException>(() => read.WaitAsync(s_patience, Stop));
    }

    [Fact]
    public async Task After_the_server_was_away_the_tunnel_is_opened_again()
    {
        using var service = new LoopbackServer();
        await using var fixture = await Fixture.StartAsync();
        var start = await ServeAsync(fixture, service.Port);
        var before = fixture.Fleet.Tunnel;
        await fixture.StopServerAsync();
        await Eventually.TrueAsync(() => fixture.Fleet.Tunnel is null, "the old tunnel to end");
        await fixture.StartServerAsync();
        await using var stream = await DialAsync(fixture, start, service.Port);
        Assert.NotSame(before, fixture.Fleet.Tunnel);
        await stream.WriteAsync(new byte[] { 7 }, Stop);
        await stream.ReadExactlyAsync(new byte[1], Stop);
    }

    [Fact]
    public async Task A_daemon_that_takes_up_a_service_opens_the_tunnel_for_it()
    {
        using var service = new LoopbackServer();
        await using var fixture = await Fixture.StartAsync();
        var start = await ServeAsync(fixture, service.Port);
        await fixture.StopDaemonAsync();
        await Eventually.TrueAsync(() => fixture.Fleet.Tunnel is null, "the old tunnel to end");
        await fixture.StartDaemonAsync();
        await (await DialAsync(fixture, start, service.Port)).DisposeAsync();
    }

    [Fact]
    public async Task A_node_without_services_opens_no_tunnel()
    {
        await using var fixture = await Fixture.StartAsync();
        await fixture.RunAsync("true");
        Assert.Null(fixture.Fleet.Tunnel);
    }

    private static async Task<StartTask> ServeAsync(Fixture fixture, int port)
    {
        var start = fixture.NewTask("sleep 600", task => task.ServicePort = port);
        await RunningAsync(fixture, start);
        return start;
    }

    private static async Task RunningAsync(Fixture fixture, StartTask start)
    {
        var seen = fixture.Send(start);
        await Eventually.TrueAsync(() => seen.Has(TaskPhase.Running), "the task to run");
    }

    private static async Task<TunnelStream> DialAsync(Fixture fixture, StartTask start, int port)
    {
        var tunnel = await Eventually.GetAsync(() => fixture.Fleet.Tunnel, "the tunnel");
        return await tunnel.OpenAsync(new TunnelTarget(TypedId.Parse<TaskId>(start.TaskId), port), Stop).WaitAsync(s_patience, Stop);
    }

    private static async Task<string> RefusalAsync(Fixture fixture, string task, int port)
    {
        var tunnel = await Eventually.GetAsync(() => fixture.Fleet.Tunnel, "the tunnel");
        var target = new TunnelTarget(TypedId.Parse<TaskId>(task), port);
        var refusal = await Assert.ThrowsAsync<IOException>(() => tunnel.OpenAsync(target, Stop));
        return refusal.Message;
    }
}
