using System.Diagnostics;
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

    public static void Run()
    {
        var offers = SyntheticOffers.Make(Offers);
        var started = Stopwatch.GetTimestamp();
        var snapshot = OfferSnapshot.Compile(offers);
        Console.WriteLine($"compile {Offers:N0} offers: {Stopwatch.GetElapsedTime(started).TotalMilliseconds:N0} ms");
        foreach (var workload in new[]
        {
            PlanningWorkloads.Training, PlanningWorkloads.Regulated, PlanningWorkloads.AnyOf, PlanningWorkloads.Anything,
        })
            Measure(workload.Name, 1000, () => Read(Planner.Plan(workload, snapshot, PlanningContext.Default)));
        Measure(PlanningWorkloads.Dag.Name, 200, () =>
        {
            var plan = Planner.Plan(PlanningWorkloads.Dag, snapshot, PlanningContext.Default);
            return $"total {plan.Total}, {plan.Transfers.Count} transfers";
        });
        Measure("all rejections in words", 5, () =>
        {
            var rejected = Planner.Plan(PlanningWorkloads.Training, snapshot, PlanningContext.Default).Rejected;
            return $"{rejected.Sum(r => r.Reasons.Count):N0} reasons of {rejected.Count:N0} offers";
        });
    }

    private static string Read(Plan plan)
    {
        foreach (var candidate in plan.Candidates.Take(10))
            _ = candidate.Items.Count;
        return $"{plan.Candidates.Count:N0} candidates, {plan.Rejected.Count:N0} rejected";
    }

    private static void Measure(string name, int times, Func<string> work)
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
    }

    private static string Percentiles(double[] milliseconds)
    {
        Array.Sort(milliseconds);
        return $"p50 {milliseconds[milliseconds.Length / 2]:0.00} ms, p99 {milliseconds[milliseconds.Length * 99 / 100]:0.00} ms";
    }
}
