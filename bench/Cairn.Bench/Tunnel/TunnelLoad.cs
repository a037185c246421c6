using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Cairn.Bench.Figures;

namespace Cairn.Bench.Tunnel;

/// <summary>
/// HTTP with bodies of a megabyte to a service, dialled directly, directly over TLS, and through its node's tunnel; and small requests, one
/// after the other. Judged against the direct way over TLS: nothing goes from machine to machine in the clear. Server and client, node, and
/// service are three processes on one machine, so the tunnel's hop and its encryption take processor time from the very work that is
/// compared; between machines they have cores of their own.
/// </summary>
internal static class TunnelLoad
{
    private const int Rounds = 3;
    private const int SmallRequests = 1_000;

    /// <summary>Arguments: clients at once (default 4), seconds of each measurement (default 1.5).</summary>
    public static async Task<bool> RunAsync(string[] args)
    {
        var clients = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 4;
        var time = TimeSpan.FromSeconds(args.Length > 1 ? double.Parse(args[1], CultureInfo.InvariantCulture) : 1.5);
        await using var world = await TunnelWorld.StartAsync();
        Way[] ways =
        [
            new("direct", new Uri($"http://127.0.0.1:{world.Port}"), new SocketsHttpHandler()),
            new("direct over TLS", new Uri($"https://127.0.0.1:{world.TlsPort}"),
                new SocketsHttpHandler { SslOptions = new() { RemoteCertificateValidationCallback = (_, _, _, _) => true } }),
            new("tunnel", new Uri($"http://replica.invalid:{world.Port}"), new SocketsHttpHandler
            {
                ConnectCallback = async (_, cancellationToken) => await world.Tunnels.DialAsync(world.Task, world.Port, cancellationToken),
            }),
        ];
        try
        {
            // By turns, so that what else the machine does meets all.
            for (var round = -1; round < Rounds; round++)
            {
                foreach (var way in ways)
                {
                    var span = round < 0 ? TimeSpan.FromSeconds(0.5) : time;
                    var down = await ThroughputAsync(way, "/give", null, clients, span);
                    var up = await ThroughputAsync(way, "/take", new byte[TunnelReplica.BodyBytes], clients, span);
                    way.Add(down, up, await LatencyAsync(way), counts: round >= 0);
                }
            }
            return Report(ways[0], ways[1], ways[2], clients);
        }
        finally
        {
            foreach (var way in ways)
                way.Http.Dispose();
        }
    }

    private static bool Report(Way direct, Way tls, Way tunnel, int clients)
    {
        foreach (var way in (Way[])[direct, tls, tunnel])
        {
            Console.WriteLine(FigureRow.Text(
                $"{way.Name,-16} {Median(way.Down):N0} MB/s down, {Median(way.Up):N0} MB/s up, small requests p50 {Median(way.Small):0.00} ms"));
        }
        var (down, up) = (Share(tunnel.Down, direct.Down), Share(tunnel.Up, direct.Up));
        FigureRow.Print($"tunnel against direct, 1 MB bodies, {clients} clients", "at least 70 % of the throughput", FigureRow.Text(
            $"{down:P0} down, {up:P0} up; of direct over TLS {Share(tunnel.Down, tls.Down):P0} and {Share(tunnel.Up, tls.Up):P0}; ")
            + FigureRow.Text($"small requests +{Median(tunnel.Small) - Median(direct.Small):0.00} ms"));
        return Math.Min(Share(tunnel.Down, tls.Down), Share(tunnel.Up, tls.Up)) >= 0.7;
    }

    private static async Task<double> ThroughputAsync(Way way, string path, byte[]? body, int clients, TimeSpan time)
    {
        long bytes = 0;
        var watch = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, clients).Select(_ => Task.Run(async () =>
        {
            var buffer = new byte[64 << 10];
            while (watch.Elapsed < time)
            {
                var got = await CallAsync(way, path, body, buffer);
                Interlocked.Add(ref bytes, body is null ? got : body.Length);
            }
        })));
        return bytes / 1e6 / watch.Elapsed.TotalSeconds;
    }

    private static async Task<double> LatencyAsync(Way way)
    {
        var buffer = new byte[1 << 10];
        var times = new List<double>();
        for (var i = 0; i < SmallRequests; i++)
        {
            var began = Stopwatch.GetTimestamp();
            await CallAsync(way, "/small", null, buffer);
            times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
        }
        return Median(times);
    }

    private static async Task<long> CallAsync(Way way, string path, byte[]? body, byte[] buffer)
    {
        using var request = new HttpRequestMessage(body is null ? HttpMethod.Get : HttpMethod.Post, new Uri(way.Address, path));
        request.Content = body is null ? null : new ByteArrayContent(body);
        using var response = await way.Http.SendAsync(request, CancellationToken.None);
        response.EnsureSuccessStatusCode();
        await using var content = await response.Content.ReadAsStreamAsync();
        var all = 0L;
        for (int read; (read = await content.ReadAsync(buffer)) > 0;)
            all += read;
        return path != "/give" || all == TunnelReplica.BodyBytes
            ? all
            : throw new InvalidOperationException($"{way.Name} brought {all} of {TunnelReplica.BodyBytes} bytes");
    }

    /// <summary>Round by round, for neighbouring measurements meet the same machine.</summary>
    private static double Share(List<double> part, List<double> whole) => Median([.. part.Zip(whole, (p, w) => p / w)]);

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);

    private sealed record Way(string Name, Uri Address, SocketsHttpHandler Handler)
    {
        public HttpMessageInvoker Http { get; } = new(Handler);

        public List<double> Down { get; } = [];

        public List<double> Up { get; } = [];

        public List<double> Small { get; } = [];

        public void Add(double down, double up, double small, bool counts)
        {
            if (!counts)
                return;
            Down.Add(down);
            Up.Add(up);
            Small.Add(small);
        }
    }
}
