using System.Diagnostics;
using Cairn.Bench.Figures;

namespace Cairn.Bench.Gateway;

/// <summary>
/// 500 streams at once, direct, through the gateway, and through YARP and nginx beside it: begun one after the other, evenly over a stream's length;
/// and direct and through the gateway begun all in one instant.
/// </summary>
internal static class StreamsLoad
{
    private const int Streams = 500;

    public static bool Run(GatewayWorld world)
    {
        foreach (var part in new[] { world.Upstream, world.Gateway, world.Yarp, world.Nginx })
            Warm(part);
        var direct = Steady(world.Upstream);
        var through = Steady(world.Gateway);
        Console.WriteLine(FigureRow.Text($"the mock takes {direct.CpuMicroseconds:0} µs of processor time an event"));
        foreach (var (name, part) in new[] { ("YARP", world.Yarp), ("nginx", world.Nginx) })
        {
            if (part is not null)
                Console.WriteLine($"{name}: {Added(Steady(part), direct)}");
        }
        var whole = direct.IsWhole && through.IsWhole;
        FigureRow.Print(
            $"{Streams} streams of {MockUpstream.Events} events at all times, begun evenly: time to the first event added, and to each event",
            "p99 < 1 ms; none held back",
            FigureRow.Text($"{Added(through, direct)} (direct {direct.FirstAt(0.5):0.00} and {direct.FirstAt(0.99):0.00} ms to the first); ")
                + (whole ? "every event came" : "EVENTS ARE MISSING"));
        var (directBurst, burst) = (Burst(world.Upstream.Address), Burst(world.Gateway.Address));
        FigureRow.Print($"the same begun in one instant", "–", FigureRow.Text(
            $"p50 {burst.FirstAt(0.5):0.0} ms and p99 {burst.FirstAt(0.99):0.0} ms; direct {directBurst.FirstAt(0.5):0.0} and {directBurst.FirstAt(0.99):0.0}; added p99 {burst.FirstAt(0.99) - directBurst.FirstAt(0.99):0.0}"));
        return through.FirstAt(0.99) - direct.FirstAt(0.99) < 1 && whole;
    }

    private static string Added(Seen seen, Seen direct)
    {
        var (first, each) = (FirstAdded(0.5), EachAdded(0.5));
        return FigureRow.Text(
            $"p50 {first:0.00} ms, p99 {FirstAdded(0.99):0.00} ms; an event p50 {each:0.00} ms, p99 {EachAdded(0.99):0.00} ms, {seen.CpuMicroseconds:0} µs of processor time");

        double FirstAdded(double share) => seen.FirstAt(share) - direct.FirstAt(share);

        double EachAdded(double share) => seen.EachAt(share) - direct.EachAt(share);
    }

    /// <summary>Short streams to their end, so that what begins, relays and ends one is compiled before any is measured.</summary>
    private static void Warm(Answering? part)
    {
        if (part is null)
            return;
        var request = GatewayRequest.To(part.Address, events: 4);
        OpenLoop.OnThreads(16, _ =>
        {
            using var connection = new KeepAlive(part.Address);
            for (var i = 0; i < 15; i++)
                connection.Stream(request, new StreamTimes(), long.MaxValue);
        });
    }

    /// <summary>
    /// Each of the clients begins a stream in its turn, and another where that ended: from then on there are always as many, and one ends and begins every 20 ms. What the
    /// second streams see is measured; the first ones show whether all of a stream arrives.
    /// </summary>
    private static Seen Steady(Answering part)
    {
        var (to, before) = (part.Address, part.CpuSeconds);
        var (request, seen) = (GatewayRequest.To(to, events: MockUpstream.Events), new Seen());
        var length = MockUpstream.EventEvery.TotalSeconds * MockUpstream.Events;
        var began = Stopwatch.GetTimestamp() + Stopwatch.Frequency / 2;
        var until = began + (long)(Stopwatch.Frequency * (2 * length + 1));
        OpenLoop.OnThreads(Streams, i =>
        {
            PreciseSleep.Sharpen();
            using var connection = new KeepAlive(to);
            PreciseSleep.Until(began + (long)(Stopwatch.Frequency * length * i / Streams));
            var (one, two) = (new StreamTimes(), new StreamTimes());
            connection.Stream(request, one, until);
            connection.Stream(request, two, until);
            seen.Add(two, one.Each.Count == MockUpstream.Events);
        });
        seen.CpuMicroseconds = (part.CpuSeconds - before) * 1e6 / (2 * Streams * MockUpstream.Events);
        return seen;
    }

    private static Seen Burst(Uri to)
    {
        var (request, seen) = (GatewayRequest.To(to, events: MockUpstream.Events), new Seen());
        var began = Stopwatch.GetTimestamp() + Stopwatch.Frequency;
        OpenLoop.OnThreads(Streams, _ =>
        {
            using var connection = new KeepAlive(to);
            PreciseSleep.Until(began);
            var times = new StreamTimes();
            connection.Stream(request, times, began + Stopwatch.Frequency * 3 / 2);
            seen.Add(times, true);
        });
        return seen;
    }

    /// <summary>What all clients saw.</summary>
    private sealed class Seen
    {
        private readonly List<double> _first = [];
        private readonly List<double> _each = [];
        private bool _sorted;

        public bool IsWhole { get; private set; } = true;

        /// <summary>Of the part that was asked, for one event; what a stream's beginning costs is in it.</summary>
        public double CpuMicroseconds { get; set; }

        public void Add(StreamTimes times, bool whole)
        {
            lock (_first)
            {
                _first.Add(times.First ?? throw new InvalidOperationException("A stream had no event in time."));
                _each.AddRange(times.Each);
                IsWhole &= whole;
            }
        }

        public double FirstAt(double share) => FigureRow.Percentile(Sorted()._first, share);

        public double EachAt(double share) => FigureRow.Percentile(Sorted()._each, share);

        private Seen Sorted()
        {
            if (!_sorted)
            {
                _first.Sort();
                _each.Sort();
            }
            _sorted = true;
            return this;
        }
    }
}
