using System.Diagnostics;
using Cairn.Bench.Figures;
using Cairn.Contracts.Plans;
using Cairn.Planning;
using Cairn.Planning.Offers;

namespace Cairn.Bench.Planning;

/// <summary>
/// Percentiles of planning over 100,000 offers on one thread. A plan counts as made when its ten best candidates are written out with their items
/// and the candidates and rejections are counted, which is what a person is shown. Beside the elapsed time stands the time that the thread spent
/// on a core: on a machine that others use, the first measures them as well.
/// </summary>
internal static class PlanningLoad
{
    private const int Offers = 100_000;

    /// <returns>Whether the time on a core reaches the goal.</returns>
    public static bool Run()
    {
        var offers = SyntheticOffers.Make(Offers);
        var started = Stopwatch.GetTimestamp();
        var snapshot = OfferSnapshot.Compile(offers);
        Console.WriteLine($"compile {Offers:N0} offers: {Stopwatch.GetElapsedTime(started).TotalMilliseconds:N0} ms");
        var one = new Figures(0, 0, 0);
        foreach (var workload in new[]
        {
            PlanningWorkloads.Training, PlanningWorkloads.Regulated, PlanningWorkloads.AnyOf, PlanningWorkloads.Anything,
        })
            one = one.Worst(Measure(workload.Name, 1000, () => Read(Planner.Plan(workload, snapshot, PlanningContext.Default))));
        var dag = Measure(PlanningWorkloads.Dag.Name, 200, () =>
        {
            var plan = Planner.Plan(PlanningWorkloads.Dag, snapshot, PlanningContext.Default);
            return $"total {plan.Total}, {plan.Transfers.Count} transfers";
        });
        Measure("all rejections in words", 5, () =>
        {
            var rejected = Planner.Plan(PlanningWorkloads.Training, snapshot, PlanningContext.Default).Rejected;
            return $"{rejected.Sum(r => r.Reasons.Count):N0} reasons of {rejected.Count:N0} offers";
        });
        FigureRow.Print("plan one workload over 100,000 offers, the slowest of four workloads; a 6-stage DAG", "p99 under 5 ms; under 50 ms",
            $"{one.InWords()}; DAG {dag.InWords()}");
        return one.P99OnCore < 5 && dag.P99OnCore < 50;
    }

    private static string Read(Plan plan)
    {
        foreach (var candidate in plan.Candidates.Take(10))
            _ = candidate.Items.Count;
        return $"{plan.Candidates.Count:N0} candidates, {plan.Rejected.Count:N0} rejected";
    }

    private static Figures Measure(string name, int times, Func<string> work)
    {
        var result = "";
        for (var i = 0; i < Math.Max(1, times / 4); i++)
            result = work();
        var elapsed = new double[times];
        var onCore = new double[times];
        for (var i = 0; i < times; i++)
        {
            var (started, startedOnCore) = (Stopwatch.GetTimestamp(), ThreadTime.Milliseconds());
            work();
            elapsed[i] = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            onCore[i] = ThreadTime.Milliseconds() - startedOnCore;
        }

        Console.WriteLine($"{name}: {Percentiles(elapsed)}; on the core {Percentiles(onCore)} ({result})");
        return new Figures(elapsed[times / 2], elapsed[times * 99 / 100], onCore[times * 99 / 100]);
    }

    private static string Percentiles(double[] milliseconds)
    {
        Array.Sort(milliseconds);
        return $"p50 {milliseconds[milliseconds.Length / 2]:0.00} ms, p99 {milliseconds[milliseconds.Length * 99 / 100]:0.00} ms";
    }

    /// <summary>Milliseconds.</summary>
    private readonly record struct Figures(double P50, double P99, double P99OnCore)
    {
        public Figures Worst(Figures other) => new(Math.Max(P50, other.P50), Math.Max(P99, other.P99), Math.Max(P99OnCore, other.P99OnCore));

        public string InWords() => FigureRow.Text($"p50 {P50:0.0} ms, p99 {P99:0.0} ms ({P99OnCore:0.0} ms on the core)");
    }
}
