using System.Net.Sockets;
using System.Security.Cryptography;
using Cairn.Contracts.Tunnels;
using CsCheck;

namespace Cairn.Contracts.Tests.Tunnels;

public sealed class A_tunnel_holds_little
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_window_grows_for_a_reader_that_keeps_up_and_is_bounded_for_one_that_stops()
    {
        var written = 0L;
        await using var pair = await TunnelPair.StartAsync(async (stream, _) =>
        {
            stream.Accept();
            try
            {
                while (true)
                {
                    await stream.WriteAsync(new byte[4 << 10]);
                    Interlocked.Add(ref written, 4 << 10);
                }
            }
            catch (IOException)
            {
                // The reader has seen enough.
            }
        });
        await using var stream = await pair.OpenAsync();
        var (buffer, read) = (new byte[256 << 10], 0L);
        while (stream.Growth < TunnelWire.MostWindow - TunnelWire.Window)
        {
            read += await stream.ReadAsync(buffer, Stop);
            Assert.True(read < 1L << 30, "the window does not grow");
        }
        var unread = await StillAsync(() => Interlocked.Read(ref written) - read);
        Assert.InRange(unread, TunnelWire.MostWindow / 2, TunnelWire.MostWindow);
    }

    [Fact]
    public async Task Windows_grow_together_by_so_much_and_an_ended_stream_gives_its_part_back()
    {
        await using var pair = await TunnelPair.EchoAsync();
        const int each = TunnelWire.MostWindow - TunnelWire.Window;
        const int most = TunnelWire.GrowthBytes / each;
        var streams = new List<TunnelStream>();
        for (var i = 0; i <= most; i++)
            streams.Add(await pair.OpenAsync());
        for (var i = 0; i < most; i++)
            Assert.True(pair.Dialing.TryGrow(streams[i], each));
        Assert.False(pair.Dialing.TryGrow(streams[most], each));
        await streams[0].DisposeAsync();
        Assert.False(pair.Dialing.TryGrow(streams[0], each), "a stream that is over does not grow");
        Assert.True(pair.Dialing.TryGrow(streams[most], each));
    }

    [Fact]
    public void What_goes_through_its_socket_arrives_whole_however_it_is_cut() =>
        Gen.Select(Gen.OneOf(Gen.Int[0, 64], Gen.Int[16_000, 17_000], Gen.Int[100_000, 300_000]).Array[1, 8], Gen.Int[1, 100_000])
            .Sample((writes, piece) => CarryAsync(writes, piece).GetAwaiter().GetResult(), iter: 60, threads: 1);

    [Fact]
    public async Task What_is_sent_on_to_a_socket_arrives_whole_and_waits_where_nobody_reads()
    {
        var written = 0L;
        var sent = RandomNumberGenerator.GetBytes(24 << 20);
        await using var pair = await TunnelPair.StartAsync(async (stream, _) =>
        {
            stream.Accept();
            for (var (at, dice) = (0, new Random(3)); at < sent.Length;)
            {
                var length = Math.Min(sent.Length - at, dice.Next(1, 200_000));
                await stream.WriteAsync(sent.AsMemory(at, length));
                Interlocked.Add(ref written, length);
                at += length;
            }
            stream.EndWrites();
        });
        var (here, there) = await ConnectAsync();
        using var _ = there;
        using var small = here;
        small.SendBufferSize = 64 << 10;
        await using var stream = await pair.OpenAsync();
        var sending = stream.SendToAsync(here, Stop);
        Assert.True(await StillAsync(() => Interlocked.Read(ref written)) < sent.Length, "it does not wait for the socket");
        var (received, buffer) = (new MemoryStream(), new byte[100_000]);
        while (received.Length < sent.Length)
            received.Write(buffer.AsSpan(0, await there.ReceiveAsync(buffer, Stop)));
        await sending;
        Assert.Equal(SHA256.HashData(sent), SHA256.HashData(received.ToArray()));
    }

    [Fact]
    public async Task Sending_on_ends_when_it_is_cancelled_also_where_the_socket_takes_nothing()
    {
        var written = 0L;
        await using var pair = await TunnelPair.StartAsync(async (stream, _) =>
        {
            stream.Accept();
            try
            {
                while (true)
                {
                    await stream.WriteAsync(new byte[64 << 10]);
                    Interlocked.Add(ref written, 64 << 10);
                }
            }
            catch (IOException)
            {
                // Nobody reads any more.
            }
        });
        var (here, there) = await ConnectAsync();
        using var _ = there;
        using var small = here;
        small.SendBufferSize = 64 << 10;
        await using var stream = await pair.OpenAsync();
        using var stop = new CancellationTokenSource();
        var sending = stream.SendToAsync(here, stop.Token);
        await StillAsync(() => Interlocked.Read(ref written));
        Assert.False(sending.IsCompleted);
        await stop.CancelAsync();
        var ended = await Record.ExceptionAsync(() => sending.WaitAsync(TimeSpan.FromMinutes(2), Stop));
        Assert.True(ended is SocketException or ObjectDisposedException or OperationCanceledException, $"{ended}");
    }

    [Fact]
    public async Task What_is_short_goes_out_at_once_and_takes_along_what_waits()
    {
        var (here, there) = await ConnectAsync();
        await using var sending = new TunnelSocket(here);
        await using var receiving = new TunnelSocket(there);
        await sending.WriteAsync(new byte[16 << 10], Stop);
        await sending.WriteAsync(new byte[] { 7 }, Stop);
        var all = new byte[(16 << 10) + 1];
        await receiving.ReadExactlyAsync(all, Stop);
        Assert.Equal(7, all[^1]);
    }

    [Fact]
    public async Task Waiting_for_bytes_takes_none()
    {
        var (here, there) = await ConnectAsync();
        await using var sending = new TunnelSocket(here);
        await using var receiving = new TunnelSocket(there);
        var waiting = receiving.ReadAsync(Memory<byte>.Empty, Stop).AsTask();
        Assert.False(waiting.IsCompleted);
        await sending.WriteAsync("hello"u8.ToArray(), Stop);
        Assert.Equal(0, await waiting.WaitAsync(TimeSpan.FromMinutes(2), Stop));
        var bytes = new byte[5];
        await receiving.ReadExactlyAsync(bytes, Stop);
        Assert.Equal("hello"u8.ToArray(), bytes);
    }

    private static async Task CarryAsync(int[] writes, int piece)
    {
        var (here, there) = await ConnectAsync();
        await using var sending = new TunnelSocket(here);
        await using var receiving = new TunnelSocket(there);
        var sent = RandomNumberGenerator.GetBytes(writes.Sum());
        var writing = Task.Run(async () =>
        {
            var at = 0;
            foreach (var length in writes)
            {
                await sending.WriteAsync(sent.AsMemory(at, length), Stop);
                at += length;
            }
            await sending.FlushAsync(Stop);
        }, Stop);
        var (received, buffer) = (new MemoryStream(), new byte[piece]);
        while (received.Length < sent.Length)
            received.Write(buffer.AsSpan(0, await receiving.ReadAsync(buffer, Stop)));
        await writing;
        Assert.Equal(sent, received.ToArray());
    }

    /// <summary>A value once it no longer changes.</summary>
    private static async Task<long> StillAsync(Func<long> value)
    {
        for (var (last, same) = (-1L, 0); ;)
        {
            var now = value();
            (last, same) = now == last ? (last, same + 1) : (now, 0);
            if (same == 20)
                return now;
            await Task.Delay(5, Stop);
        }
    }

    private static async Task<(Socket Here, Socket There)> ConnectAsync()
    {
        using var listener = new TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var here = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await here.ConnectAsync(listener.LocalEndpoint, Stop);
        return (here, await listener.AcceptSocketAsync(Stop));
    }
}
