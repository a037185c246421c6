using BenchmarkDotNet.Attributes;
using Cairn.Planning.Scheduling;

namespace Cairn.Bench.Scheduling;

/// <summary>Single decisions on 40,000 simulated nodes, each undone so that the next starts from the same state.</summary>
[MemoryDiagnoser]
public class SchedulingBenchmarks
{
    private readonly SchedulingTrace _trace = new();
    private SchedulerState _state = null!;

    [GlobalSetup]
    public void Build()
    {
        _state = _trace.NewState();
        for (var i = 0; i < 40_000; i++)
            _state.Submit(_trace.Next());
        _state.Decide(0);
    }

    [Benchmark]
    public int One_request() => PlaceAndRelease(_trace.Next());

    [Benchmark]
    public int Gang_of_1000_nodes() => PlaceAndRelease(_trace.WholeNodes(1_000));

    private int PlaceAndRelease(PlacementRequest request)
    {
        _state.Submit(request);
        var tasks = _state.Decide(0).Tasks;
        if (!_state.Withdraw(request.Key))
            _state.Release(request.Key);
        return tasks;
    }
}
