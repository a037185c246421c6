using System.Diagnostics;
using Cairn.Bench.Figures;
using Cairn.Planning.Scheduling;

namespace Cairn.Bench.Scheduling;

/// <summary>Prints what one core places on 40,000 simulated nodes with 320,000 simulated accelerators in 130 regions.</summary>
internal static class SchedulingLoad
{
    private const int Rounds = 7;

    /// <returns>Whether the goal is reached.</returns>
    public static bool Run()
    {
        var trace = new SchedulingTrace();
        var state = trace.NewState();
        Console.WriteLine($"scheduling on {trace.Nodes:N0} simulated nodes, {trace.Nodes * 8:N0} accelerators, one core");
        var gang = Gangs(trace, "empty", state);
        var held = Fill(trace, state);
        var rate = Churn(trace, state, held);
        Queue(trace, state, held);
        using var process = Process.GetCurrentProcess();
        var managed = GC.GetTotalMemory(forceFullCollection: true) / 1e6;
        Console.WriteLine($"  memory: {managed:N0} MB managed, peak of the process {process.PeakWorkingSet64 / 1e6:N0} MB");
        gang = Math.Max(gang, Gangs(trace, "half used", HalfUsed(trace)));
        var peak = process.PeakWorkingSet64 / 1e6;
        FigureRow.Print("place on 40,000 nodes, 320,000 GPUs in 130 regions, mixed sizes, pure", "100,000 placements/s on one core; a gang of 1,000 nodes under 20 ms; under 1 GB",
            FigureRow.Text($"{rate:N0} placements/s per core on the full fleet; gang {gang:0.0} ms; {peak:N0} MB"));
        return rate > 100_000 && gang < 20 && peak < 1_000;
    }

    private static double Gangs(SchedulingTrace trace, string of, SchedulerState state)
    {
        var times = new List<double>();
        for (var i = 0; i < Rounds; i++)
        {
            var request = trace.WholeNodes(1_000);
            var started = Stopwatch.GetTimestamp();
            state.Submit(request);
            var placed = state.Decide(0).Tasks;
            times.Add(Stopwatch.GetElapsedTime(started).TotalMilliseconds);
            if (placed != 1_000)
                throw new InvalidOperationException($"The gang of 1,000 nodes placed {placed} tasks.");
            state.Release(request.Key);
        }

        Console.WriteLine($"  gang of 1,000 whole nodes, fleet {of}: median {Median(times):N2} ms, first {times[0]:N2} ms");
        return Median(times);
    }

    /// <summary>From empty until the stream no longer fits.</summary>
    private static List<PlacementRequest> Fill(SchedulingTrace trace, SchedulerState state)
    {
        var held = new List<PlacementRequest>();
        var requests = Enumerable.Range(0, 100_000).Select(_ => trace.Next()).ToArray();
        var watch = CpuWatch.Start();
        for (var at = 0; state.QueuedCount < 500; at += 1_000)
        {
            for (var i = at; i < at + 1_000; i++)
                state.Submit(requests[i]);
            foreach (var placement in state.Decide(0).Placements)
                held.Add(placement.Request);
        }

        Console.WriteLine($"  filling: {watch.Rates(held.Count, state.HeldTasks).Rates}");
        Console.WriteLine($"    {Used(trace, state):P1} of accelerators used at the end");
        return held;
    }

    /// <summary>The fleet is full: every placement has to wait for a release, and every round ends with lines that found no room.</summary>
    private static double Churn(SchedulingTrace trace, SchedulerState state, List<PlacementRequest> held)
    {
        var all = new List<(double PerCpuSecond, string Rates)>();
        for (var i = 0; i < Rounds; i++)
        {
            var requests = Enumerable.Range(0, 50_000).Select(_ => trace.Next()).ToArray();
            var (tasks, placed) = (0, 0);
            var watch = CpuWatch.Start();
            for (var at = 0; at < requests.Length; at += 500)
            {
                foreach (var released in Take(trace, held, 500))
                    state.Release(released.Key);
                for (var k = at; k < at + 500; k++)
                    state.Submit(requests[k]);
                var round = state.Decide(0);
                tasks += round.Tasks;
                placed += round.Placements.Count;
                foreach (var placement in round.Placements)
                    held.Add(placement.Request);
            }

            all.Add(watch.Rates(placed, tasks));
        }

        all.Sort();
        Console.WriteLine($"  release, submit and place on the full fleet, median of {Rounds} times 50,000: {all[Rounds / 2].Rates}");
        Console.WriteLine($"    {Used(trace, state):P1} used, {state.QueuedCount:N0} wait");
        return all[Rounds / 2].PerCpuSecond;
    }

    /// <summary>One event at a time with a deep queue: what a release costs when 100,000 requests wait.</summary>
    private static void Queue(SchedulingTrace trace, SchedulerState state, List<PlacementRequest> held)
    {
        while (state.QueuedCount < 100_000)
            state.Submit(trace.Next());
        held.AddRange(state.Decide(0).Placements.Select(placement => placement.Request));
        var times = new List<double>();
        for (var i = 0; i < 5_000; i++)
        {
            var released = Take(trace, held, 1)[0];
            var started = Stopwatch.GetTimestamp();
            state.Release(released.Key);
            var round = state.Decide(0);
            times.Add(Stopwatch.GetElapsedTime(started).TotalMicroseconds);
            held.AddRange(round.Placements.Select(placement => placement.Request));
        }

        times.Sort();
        var p99 = times[times.Count * 99 / 100];
        Console.WriteLine($"  one release and its round, {state.QueuedCount:N0} waiting: median {Median(times):N1} µs, p99 {p99:N1} µs");
    }

    private static SchedulerState HalfUsed(SchedulingTrace trace)
    {
        var state = trace.NewState();
        while (Used(trace, state) < 0.5)
        {
            for (var i = 0; i < 1_000; i++)
                state.Submit(trace.Next());
            state.Decide(0);
        }

        return state;
    }

    private static PlacementRequest[] Take(SchedulingTrace trace, List<PlacementRequest> held, int count)
    {
        var taken = new PlacementRequest[count];
        for (var i = 0; i < count; i++)
        {
            var at = trace.Random(held.Count);
            taken[i] = held[at];
            held[at] = held[^1];
            held.RemoveAt(held.Count - 1);
        }

        return taken;
    }

    private static double Used(SchedulingTrace trace, SchedulerState state)
    {
        var free = 0L;
        for (var node = 0; node < trace.Nodes; node++)
            free += state.RoomOf(node).AcceleratorMilli;
        return 1 - free / (trace.Nodes * 8_000.0);
    }

    private static double Median(List<double> values)
    {
        var sorted = values.Order().ToArray();
        return sorted[sorted.Length / 2];
    }

    /// <summary>Time on the clock, and time that this process computed: on a shared machine the second says what the code costs.</summary>
    private readonly record struct CpuWatch(long Started, TimeSpan Cpu)
    {
        public static CpuWatch Start() => new(Stopwatch.GetTimestamp(), CpuNow());

        public (double PerCpuSecond, string Rates) Rates(int requests, int tasks)
        {
            var (clock, cpu) = (Stopwatch.GetElapsedTime(Started).TotalSeconds, (CpuNow() - Cpu).TotalSeconds);
            var byClock = $"{requests / clock:N0} requests/s and {tasks / clock:N0} tasks/s by the clock";
            return (requests / cpu, $"{byClock}, {requests / cpu:N0} and {tasks / cpu:N0} per CPU second");
        }

        private static TimeSpan CpuNow()
        {
            using var process = Process.GetCurrentProcess();
            return process.TotalProcessorTime;
        }
    }
}
