using Cairn.Frameworks.Engine.Tensors;
using CsCheck;

namespace Cairn.Frameworks.Tests.Tensors;

public sealed class Batch_decisions
{
    private static readonly ShapeKey A = new([new Tensor("x", TensorType.Float32, [1, 2], default)]);
    private static readonly ShapeKey B = new([new Tensor("x", TensorType.Float32, [1, 3], default)]);

    [Fact]
    public void Without_a_delay_what_is_there_goes_at_once()
    {
        var plan = BatchDecision.Decide([Of(0), Of(1), Of(2)], Policy(8), 5);

        Assert.Equal([0, 1, 2], plan.Batch);
    }

    [Fact]
    public void A_delay_waits_for_company_and_no_longer()
    {
        var policy = Policy(8) with { DelayMicroseconds = 100 };

        var early = BatchDecision.Decide([Of(10), Of(50)], policy, 60);
        var late = BatchDecision.Decide([Of(10), Of(50)], policy, 110);
        var full = BatchDecision.Decide([Of(10, rows: 4), Of(50, rows: 4)], policy, 60);

        Assert.Empty(early.Batch);
        Assert.Equal(110, early.WakeMicroseconds);
        Assert.Equal([0, 1], late.Batch);
        Assert.Equal([0, 1], full.Batch);
    }

    [Fact]
    public void A_preferred_size_goes_before_its_delay_and_leaves_the_rest()
    {
        var policy = Policy(8) with { DelayMicroseconds = 100, Preferred = [2, 4] };

        var plan = BatchDecision.Decide([Of(0), Of(0), Of(0)], policy, 1);

        Assert.Equal([0, 1], plan.Batch);
    }

    [Fact]
    public void Another_shape_waits_for_its_own_batch()
    {
        var waiting = new[] { Of(0), Of(1) with { Shape = B }, Of(2) };

        Assert.Equal([0, 2], BatchDecision.Decide(waiting, Policy(8), 5).Batch);
        Assert.Equal([0], BatchDecision.Decide(waiting, Policy(8) with { PreserveOrder = true }, 5).Batch);
    }

    [Fact]
    public void A_higher_priority_goes_first()
    {
        var plan = BatchDecision.Decide([Of(0) with { Priority = 2 }, Of(1) with { Priority = 1 }], Policy(1), 5);

        Assert.Equal([1], plan.Batch);
    }

    [Fact]
    public void An_expired_request_is_refused_or_goes_last()
    {
        var waiting = new[] { Of(0) with { DeadlineMicroseconds = 4 }, Of(0) with { DeadlineMicroseconds = 4, DelayAtDeadline = true }, Of(3) };

        var plan = BatchDecision.Decide(waiting, Policy(8), 5);

        Assert.Equal([0], plan.Expired);
        Assert.Equal([2, 1], plan.Batch);
    }

    /// <summary>
    /// Whatever waits: a batch fits, has one shape, is in one place, and nobody waits past delay while the model is idle.
    /// </summary>
    [Fact]
    public void Every_plan_keeps_its_promises() => Gen.Select(
        Gen.Select(Gen.Int[1, 3], Gen.Bool, Gen.Int[1, 8], Gen.Int[0, 200], Gen.Int[0, 300], Gen.Bool).Array[0, 12],
        Gen.Int[1, 12], Gen.Int[0, 150], Gen.Int[1, 12].Array[0, 3], Gen.Bool, Gen.Int[200, 300]).Sample(
        (requests, maximum, delay, preferred, order, now) =>
        {
            var policy = Policy(Math.Max(maximum, 8)) with
            {
                DelayMicroseconds = delay, Preferred = [.. preferred.Distinct().Order()], PreserveOrder = order, Combine = maximum > 1,
            };
            var waiting = requests.Select(request => new Waiting(
                (ulong)request.Item1, request.Item2 ? A : B, request.Item3, request.Item4,
                request.Item5 == 0 ? long.MaxValue : request.Item4 + request.Item5, request.Item6)).OrderBy(request => request.ArrivedMicroseconds).ToArray();
            var plan = BatchDecision.Decide(waiting, policy, now);

            var batch = plan.Batch.Select(index => waiting[index]).ToList();
            Assert.Equal(plan.Batch.Count + plan.Expired.Count, plan.Batch.Concat(plan.Expired).Distinct().Count());
            Assert.True(batch.Sum(request => request.Rows) <= policy.MaximumBatch);
            Assert.True(batch.Select(request => request.Shape).Distinct().Count() <= 1);
            Assert.All(plan.Expired, index => Assert.True(waiting[index].DeadlineMicroseconds <= now && !waiting[index].DelayAtDeadline));
            Assert.All(plan.Batch, index => Assert.True(waiting[index].DeadlineMicroseconds > now || waiting[index].DelayAtDeadline));
            Assert.True(policy.Combine || batch.Count <= 1);
            var alive = waiting.Where((_, index) => !plan.Expired.Contains(index)).ToList();
            if (batch.Count == 0 && alive.Count > 0)
                Assert.InRange(plan.WakeMicroseconds, now + 1, now + 300);
            if (batch.Count > 0)
                Assert.Equal(alive.Min(request => request.Priority), batch[0].Priority);
        });

    private static Waiting Of(long arrived, int rows = 1) => new(0, A, rows, arrived, long.MaxValue, false);

    private static BatchingPolicy Policy(int maximum) => new() { MaximumBatch = maximum, Combine = true };
}
