using Cairn.Planning.Scheduling;
using static Cairn.Planning.Tests.Scheduling.Requests;

namespace Cairn.Planning.Tests.Scheduling;

/// <summary>
/// The same arrivals and ends through the scheduler and through a simpler rule; whoever keeps more whole nodes free has fewer
/// fragments.
/// </summary>
public sealed class FragmentationTests
{
    private const int Nodes = 60;

    [Theory]
    [InlineData(50, 1.01)]
    [InlineData(75, 1.02)]
    [InlineData(90, 1.1)]
    public void More_nodes_stay_whole_than_by_first_fit(int percentUsed, double ratio) =>
        AssertMoreWhole(percentUsed, ratio, static (free, gpus) => Array.FindIndex(free, left => left >= gpus));

    [Theory]
    [InlineData(50, 10)]
    [InlineData(75, 20)]
    public void Many_more_nodes_stay_whole_than_by_spreading_over_the_least_used(int percentUsed, double ratio) =>
        AssertMoreWhole(percentUsed, ratio, static (free, gpus) => free.Max() >= gpus ? Array.IndexOf(free, free.Max()) : -1);

    private void AssertMoreWhole(int percentUsed, double ratio, Func<int[], int, int> rule)
    {
        var (ours, others) = (0, 0);
        for (var seed = 1; seed <= 4; seed++)
        {
            var trace = new Trace(seed, percentUsed * Nodes * 8 / 100, rule);
            for (var step = 1; step <= 3_000; step++)
            {
                trace.Step(step);
                if (step % 10 != 0)
                    continue;
                ours += trace.OurWholeNodes;
                others += trace.OtherWholeNodes;
            }
        }

        Assert.True(ours >= ratio * others, $"{ours} whole free nodes over the traces against {others}");
    }

    /// <summary>Pieces of one to eight accelerators, at most so many in use, each ending at random.</summary>
    private sealed class Trace
    {
        private readonly Random _random;
        private readonly int _most;
        private readonly Func<int[], int, int> _rule;
        private readonly SchedulerState _state = new();
        private readonly int[] _free = [.. Enumerable.Repeat(8, Nodes)];
        private readonly List<(int Key, int Gpus, int Node)> _running = [];

        public Trace(int seed, int most, Func<int[], int, int> rule)
        {
            (_random, _most, _rule) = (new Random(seed), most, rule);
            for (var i = 0; i < Nodes; i++)
                _state.AddNode(Node());
        }

        public int OurWholeNodes => Enumerable.Range(0, Nodes).Count(node => _state.RoomOf(node).WholeDevices == 0xFF);

        public int OtherWholeNodes => _free.Count(free => free == 8);

        /// <summary>A piece that either has no room for is left out of both, so that they carry the same load.</summary>
        public void Step(int key)
        {
            var gpus = 1 << _random.Next(4);
            while (_running.Sum(job => job.Gpus) + gpus > _most)
                End(_random.Next(_running.Count));
            var node = _rule(_free, gpus);
            if (node < 0 || _state.TryPlace(Request(key, Shape(gpus))) is null)
                return;
            _free[node] -= gpus;
            _running.Add((key, gpus, node));
        }

        private void End(int at)
        {
            _state.Release(Key(_running[at].Key));
            _free[_running[at].Node] += _running[at].Gpus;
            _running.RemoveAt(at);
        }
    }
}
