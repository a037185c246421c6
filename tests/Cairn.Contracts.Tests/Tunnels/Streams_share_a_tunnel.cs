using System.Collections.Concurrent;
using System.Security.Cryptography;
using Cairn.Contracts.Tunnels;
using CsCheck;

namespace Cairn.Contracts.Tests.Tunnels;

public sealed class Streams_share_a_tunnel
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void Whatever_both_sides_write_arrives_in_order_and_whole() =>
        Gen.Select(Writes(), Writes()).Array[1, 5].Sample(streams => CarryAsync(streams).GetAwaiter().GetResult(), iter: 40, threads: 1);

    [Fact]
    public async Task A_reader_that_does_not_read_stops_its_own_writer_and_no_other_stream()
    {
        await using var pair = await TunnelPair.StartAsync(SendForeverAsync);
        var slow = new List<TunnelStream>();
        for (var i = 0; i < 200; i++)
            slow.Add(await pair.OpenAsync());
        await using var quick = await pair.OpenAsync();
        var buffer = new byte[64 << 10];
        for (var read = 0L; read < 8 << 20;)
            read += await quick.ReadAsync(buffer, Stop);
        foreach (var stream in slow)
        {
            await stream.ReadExactlyAsync(buffer, Stop);
            await stream.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_writer_without_a_reader_waits_at_the_window()
    {
        await using var pair = await TunnelPair.StartAsync((stream, _) =>
        {
            stream.Accept();
            return Task.CompletedTask;
        });
        await using var stream = await pair.OpenAsync();
        await stream.WriteAsync(new byte[TunnelWire.Window], Stop);
        using var patience = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await stream.WriteAsync(new byte[1], patience.Token));
    }

    [Fact]
    public async Task Each_side_ends_its_writing_alone()
    {
        await using var pair = await TunnelPair.StartAsync(async (stream, _) =>
        {
            stream.Accept();
            var all = new MemoryStream();
            await stream.CopyToAsync(all);
            await stream.WriteAsync(SHA256.HashData(all.ToArray()));
            stream.EndWrites();
        });
        var sent = RandomNumberGenerator.GetBytes(1 << 20);
        await using var stream = await pair.OpenAsync();
        await stream.WriteAsync(sent, Stop);
        stream.EndWrites();
        var answer = new MemoryStream();
        await stream.CopyToAsync(answer, Stop);
        Assert.Equal(SHA256.HashData(sent), answer.ToArray());
        // Its reader is woken a moment before the stream is forgotten.
        await Eventually(() => pair.Dialing.StreamCount == 0);
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await stream.WriteAsync(new byte[1], Stop));
    }

    [Fact]
    public async Task A_cut_connection_fails_every_stream_at_once()
    {
        await using var pair = await TunnelPair.EchoAsync();
        var streams = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => pair.OpenAsync()));
        var reads = streams.Select(stream => stream.ReadAsync(new byte[1], Stop).AsTask()).ToArray();
        pair.CutConnection();
        foreach (var read in reads)
            await Assert.ThrowsAsync<IOException>(() => read.WaitAsync(TimeSpan.FromMinutes(2), Stop));
        await pair.DialingEnds;
        var late = await Assert.ThrowsAsync<IOException>(pair.OpenAsync);
        Assert.Contains("the tunnel to the node ended", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stream_that_is_closed_fails_at_the_other_end()
    {
        var ends = new ConcurrentQueue<Task<int>>();
        await using var pair = await TunnelPair.StartAsync((stream, _) =>
        {
            ends.Enqueue(stream.ReadAsync(new byte[1]).AsTask());
            stream.Accept();
            return Task.CompletedTask;
        });
        var stream = await pair.OpenAsync();
        await stream.DisposeAsync();
        var error = await Assert.ThrowsAsync<IOException>(() => Assert.Single(ends).WaitAsync(TimeSpan.FromMinutes(2), Stop));
        Assert.Contains("closed the stream", error.Message, StringComparison.Ordinal);
        Assert.Equal((0, 0), (pair.Dialing.StreamCount, pair.Accepting.StreamCount));
    }

    [Fact]
    public async Task A_refusal_says_why()
    {
        await using var pair = await TunnelPair.StartAsync((stream, target) =>
        {
            stream.Abort($"no port {target.Port} for you");
            return Task.CompletedTask;
        });
        var error = await Assert.ThrowsAsync<IOException>(pair.OpenAsync);
        Assert.Contains("no port 8000 for you", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task One_stream_more_than_may_be_open_is_refused_and_the_others_go_on()
    {
        await using var pair = await TunnelPair.StartAsync(async (stream, _) =>
        {
            stream.Accept();
            await stream.CopyToAsync(stream);
        }, mostStreams: 3);
        var open = await Task.WhenAll(pair.OpenAsync(), pair.OpenAsync(), pair.OpenAsync());
        var error = await Assert.ThrowsAsync<IOException>(pair.OpenAsync);
        Assert.Contains("3 streams open", error.Message, StringComparison.Ordinal);
        await open[0].WriteAsync(new byte[] { 7 }, Stop);
        await open[0].ReadExactlyAsync(new byte[1], Stop);
        await open[1].DisposeAsync();
        await Eventually(() => pair.Accepting.StreamCount == 2);
        await (await pair.OpenAsync()).DisposeAsync();
    }

    [Fact]
    public async Task What_is_no_frame_ends_the_tunnel()
    {
        var (here, there) = await ConnectAsync();
        var mux = new TunnelMux(here, 10);
        var running = mux.RunAsync(Stop);
        await there.WriteAsync("GET / HTTP/1.1\r\nHost: x\r\n\r\n"u8.ToArray(), Stop);
        Assert.Contains("frame of kind", await running.WaitAsync(TimeSpan.FromMinutes(2), Stop), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_end_that_sends_more_than_the_window_is_cut_off()
    {
        var (here, there) = await ConnectAsync();
        var mux = new TunnelMux(here, 10, (stream, _) =>
        {
            stream.Accept();
            return Task.CompletedTask;
        });
        var running = mux.RunAsync(Stop);
        var open = new byte[FrameHeader.Bytes + TunnelTarget.Bytes];
        new FrameHeader(1, FrameKind.Open, TunnelTarget.Bytes).Write(open);
        TunnelPair.Target.Write(open.AsSpan(FrameHeader.Bytes));
        await there.WriteAsync(open, Stop);
        var data = new byte[FrameHeader.Bytes + TunnelWire.MostPayload];
        new FrameHeader(1, FrameKind.Data, TunnelWire.MostPayload).Write(data);
        for (var sent = 0; sent <= TunnelWire.Window; sent += TunnelWire.MostPayload)
            await there.WriteAsync(data, Stop);
        Assert.Contains("more on a stream than it may", await running.WaitAsync(TimeSpan.FromMinutes(2), Stop), StringComparison.Ordinal);
    }

    private static Gen<byte[][]> Writes() => Gen.Byte.Array[1, 40_000].Array[0, 12];

    private static async Task CarryAsync((byte[][] Out, byte[][] Back)[] streams)
    {
        var next = -1;
        var arrived = new ConcurrentDictionary<int, byte[]>();
        // Streams are opened one after the other, so the other end counts them alike.
        await using var pair = await TunnelPair.StartAsync(async (stream, _) =>
        {
            var index = Interlocked.Increment(ref next);
            stream.Accept();
            arrived[index] = await TalkAsync(stream, streams[index].Back);
        });
        var opened = new List<TunnelStream>();
        foreach (var _ in streams)
            opened.Add(await pair.OpenAsync());
        var answers = await Task.WhenAll(opened.Select((stream, i) => TalkAsync(stream, streams[i].Out)));
        await Eventually(() => arrived.Count == streams.Length && pair.Dialing.StreamCount + pair.Accepting.StreamCount == 0);
        for (var i = 0; i < streams.Length; i++)
        {
            Assert.Equal(streams[i].Out.SelectMany(write => write), arrived[i]);
            Assert.Equal(streams[i].Back.SelectMany(write => write), answers[i]);
        }
    }

    private static async Task<byte[]> TalkAsync(TunnelStream stream, byte[][] writes)
    {
        var all = new MemoryStream();
        var reading = stream.CopyToAsync(all);
        foreach (var write in writes)
            await stream.WriteAsync(write);
        stream.EndWrites();
        await reading;
        return all.ToArray();
    }

    private static async Task SendForeverAsync(TunnelStream stream, TunnelTarget target)
    {
        stream.Accept();
        try
        {
            while (true)
                await stream.WriteAsync(new byte[16 << 10]);
        }
        catch (IOException)
        {
            // The reader has seen enough.
        }
    }

    private static async Task<(Stream Here, Stream There)> ConnectAsync()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync((System.Net.IPEndPoint)listener.LocalEndpoint, Stop);
        return ((await listener.AcceptTcpClientAsync(Stop)).GetStream(), client.GetStream());
    }

    private static async Task Eventually(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (!condition())
        {
            Assert.False(patience.IsCancellationRequested, "the condition did not come");
            await Task.Delay(2, CancellationToken.None);
        }
    }
}
