using Cairn.Serving.Autoscaling;
using CsCheck;

namespace Cairn.Serving.Tests.Autoscaling;

/// <summary>A simulated endpoint (arrivals, a queue, replicas that take time to come) under the real decisions, with a simulated clock.</summary>
public sealed class An_endpoint_under_the_autoscaler
{
    private static readonly Gen<Simulation> s_any =
        from min in Gen.Int[0, 3]
        from span in Gen.Int[1, 20]
        from target in Gen.Double[1, 16]
        from delay in Gen.Int[0, 120]
        from start in Gen.Double[0, 40]
        from work in Gen.Double[0.2, 5]
        from seed in Gen.Int
        select new Simulation
        {
            Spec = new ScalingSpec
            {
                MinReplicas = min, MaxReplicas = min + span, TargetConcurrency = target, ScaleDownDelay = TimeSpan.FromSeconds(delay),
                ScaleToZeroDelay = TimeSpan.FromSeconds(30 + delay),
            },
            StartSeconds = start,
            WorkSeconds = work,
            Seed = seed,
        };

    [Fact]
    public void Stays_within_bounds_and_is_never_zero_with_work_queued() =>
        Gen.Select(s_any, Gen.Double[0, 20]).Sample((simulation, rate) =>
        {
            simulation.Run(_ => rate, 400, step =>
            {
                Assert.InRange(step.Wanted, simulation.Spec.MinReplicas, simulation.Spec.MaxReplicas);
                if (step.Load.Concurrency > 0)
                    Assert.True(step.Wanted > 0, $"zero with {step.Load} at second {step.Second}");
            });
        }, iter: 60);

    [Fact]
    public void Does_not_flap_under_a_constant_load() =>
        s_any.Sample(simulation =>
        {
            // About half of what the maximum can carry, in regular arrivals: nothing asks for a change once it has settled.
            var most = simulation.Spec.MaxReplicas * simulation.Spec.TargetConcurrency!.Value * simulation.Spec.TargetUtilization / simulation.WorkSeconds;
            var changes = new List<int>();
            simulation.Regular = true;
            simulation.Run(_ => most / 2, 900, step =>
            {
                if (step.Second > 500)
                    changes.Add(step.Wanted);
            });
            Assert.True(changes.Max() - changes.Min() <= 1, $"between {changes.Min()} and {changes.Max()} at {most / 2:0.00}/s: {simulation.Spec}");
            Assert.True(changes.Zip(changes.Skip(1)).Count(p => p.First != p.Second) <= 2, "more than two changes in 400 s");
        }, iter: 40);

    [Fact]
    public void Reacts_to_a_jump_within_the_panic_window_and_one_start() =>
        s_any.Sample(simulation =>
        {
            var replicas = simulation.Spec.MaxReplicas;
            var rate = replicas * simulation.Spec.TargetConcurrency!.Value * 0.6 / simulation.WorkSeconds;
            var full = -1;
            simulation.Run(second => second < 200 ? rate / 10 : rate, 400, step =>
            {
                if (full < 0 && step.Second >= 200 && step.Wanted >= Math.Ceiling(0.8 * replicas))
                    full = step.Second;
            });
            // Requests pile up for as long as they are worked on, so the signal itself needs that long to grow.
            var bound = 200 + simulation.Spec.StableWindow.TotalSeconds + 3 * simulation.WorkSeconds + 6;
            Assert.True(full >= 0 && full <= bound, $"reached at {full}, expected by {bound:0}");
        }, iter: 40);

    [Fact]
    public void Starves_nobody_and_sleeps_when_all_is_done() =>
        s_any.Sample(simulation =>
        {
            var carried = 0.5 * simulation.Spec.MaxReplicas * simulation.Spec.TargetConcurrency!.Value / simulation.WorkSeconds;
            var end = simulation.Run(second => second < 300 ? carried : 0, 1200, _ => { });
            Assert.Equal(0, end.Load.Concurrency);
            Assert.Equal(simulation.Spec.MinReplicas, end.Wanted);
            Assert.True(simulation.LongestWaitSeconds <= simulation.StartSeconds * 2 + simulation.Spec.StableWindow.TotalSeconds + 10 * simulation.WorkSeconds + 10,
                $"somebody waited {simulation.LongestWaitSeconds:0} s");
        }, iter: 40);

    internal readonly record struct Step(int Second, int Wanted, Load Load);

    /// <summary>Replicas carry the target's concurrency each; a request takes a fixed time once a replica has it.</summary>
    internal sealed class Simulation
    {
        private const double Tick = 0.25;

        public required ScalingSpec Spec { get; init; }
        public required double StartSeconds { get; init; }
        public required double WorkSeconds { get; init; }
        public required int Seed { get; init; }
        public bool Regular { get; set; }
        public double LongestWaitSeconds { get; private set; }

        public Step Run(Func<int, double> rate, int seconds, Action<Step> check)
        {
            var random = new Random(Seed);
            var start = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
            var history = new LoadHistory(TimeSpan.FromMinutes(5));
            var memory = ScalingMemory.None;
            var replicas = new List<double>(); // when each is ready
            var (queue, running) = (new Queue<double>(), new PriorityQueue<int, double>());
            var (due, last) = (0.0, default(Step));
            for (var i = 0; i * Tick < seconds; i++)
            {
                var (now, at) = (i * Tick, start.AddSeconds(i * Tick));
                for (due += rate((int)now) * Tick * (Regular ? 1 : 2 * random.NextDouble()); due >= 1; due--)
                {
                    queue.Enqueue(now);
                    history.Began(at);
                }
                while (running.TryPeek(out _, out var done) && done <= now)
                    running.Dequeue();
                var ready = replicas.Count(r => r <= now);
                while (queue.Count > 0 && running.Count < Math.Ceiling(ready * Spec.TargetConcurrency!.Value))
                {
                    LongestWaitSeconds = Math.Max(LongestWaitSeconds, now - queue.Dequeue());
                    running.Enqueue(0, now + WorkSeconds);
                }
                var load = new Load(running.Count, queue.Count, 0);
                history.Observe(at, load);
                if (i % (int)(2 / Tick) == 0 || (replicas.Count == 0 && queue.Count > 0))
                {
                    var decision = Autoscaler.Decide(Spec, history, new ReplicaCounts(replicas.Count, ready), memory, default, at);
                    memory = decision.Memory;
                    while (replicas.Count < decision.Wanted)
                        replicas.Add(now + StartSeconds);
                    if (replicas.Count > decision.Wanted)
                        replicas.RemoveRange(decision.Wanted, replicas.Count - decision.Wanted);
                    check(last = new Step((int)now, decision.Wanted, load));
                }
            }
            return last;
        }
    }
}
