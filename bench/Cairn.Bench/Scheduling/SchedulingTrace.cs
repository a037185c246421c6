using Cairn.Contracts.Workloads;
using Cairn.Planning.Scheduling;

namespace Cairn.Bench.Scheduling;

/// <summary>
/// A fleet of the size that the benchmarks speak of, and a stream of requests over it: 130 regions with a node class each, eight
/// accelerators per node. Every request accepts every region, cheapest first. Seeded, so every run sees the same trace.
/// </summary>
internal sealed class SchedulingTrace(int nodes = 40_000, int regions = 130)
{
    private const long Gigabyte = 1_000_000_000;

    /// <summary>Of 100 requests: most ask for one accelerator or a part of one, a few for many whole nodes.</summary>
    private static readonly (int Weight, int Milli, int Tasks)[] s_mix =
    [
        (12, 250, 1), (8, 500, 1), (28, 1000, 1), (16, 2000, 1), (12, 4000, 1), (12, 8000, 1),
        (5, 8000, 2), (3, 8000, 4), (2, 8000, 8), (1, 8000, 16), (1, 8000, 64),
    ];

    private readonly Random _random = new(20_260_101);
    private readonly List<PlacementShape> _shapes = [];
    private int _next;

    public int Nodes => nodes;

    public SchedulerState NewState()
    {
        var state = new SchedulerState();
        for (var i = 0; i < nodes; i++)
        {
            var region = i % regions;
            state.AddNode(new NodeShape
            {
                NodeClass = $"provider/region-{region}/8x-h100",
                Domain = $"region-{region}",
                CpuMillis = 192_000,
                MemoryBytes = 2_000 * Gigabyte,
                DiskBytes = 20_000 * Gigabyte,
                Devices = [new DeviceShape("H100-SXM-80GB", "nvidia", 80 * Gigabyte, 8)],
            });
        }

        return state;
    }

    /// <summary>The next request of the stream. Gangs stay in one region, on nodes of their own.</summary>
    public PlacementRequest Next()
    {
        if (_shapes.Count == 0)
            AddShapes();
        return Request(_shapes[_random.Next(_shapes.Count)]);
    }

    /// <summary>A gang of whole nodes, wherever they are.</summary>
    public PlacementRequest WholeNodes(int tasks) => Request(Shape(8000, tasks, sameDomain: false));

    public int Random(int below) => _random.Next(below);

    private PlacementRequest Request(PlacementShape shape) => new()
    {
        Key = new Guid(++_next, 0, 0, new byte[8]),
        Shape = shape,
        Sequence = _next,
        SubmittedAtMicros = 0,
    };

    private void AddShapes()
    {
        foreach (var (weight, milli, tasks) in s_mix)
        {
            var shape = Shape(milli, tasks, sameDomain: true);
            for (var i = 0; i < weight; i++)
                _shapes.Add(shape);
        }
    }

    private PlacementShape Shape(int milli, int tasks, bool sameDomain)
    {
        var need = new TaskNeed
        {
            AcceleratorMilli = milli,
            Accelerator = new AcceleratorSpec { Names = ["H100"] },
            CpuMillis = 20L * milli,
            MemoryBytes = milli * Gigabyte / 5,
            DiskBytes = milli * Gigabyte / 1000,
        };
        return new PlacementShape
        {
            Tasks = tasks,
            SameDomain = sameDomain,
            MixClasses = !sameDomain,
            Spread = tasks > 1,
            Choices = [.. Enumerable.Range(0, regions).Select(region => new PlacementChoice($"provider/region-{region}/8x-h100", need))],
        };
    }
}
