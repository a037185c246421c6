using Cairn.Frameworks.Engine.Batching;
using CsCheck;

namespace Cairn.Frameworks.Tests.Engine.Batching;

public sealed class Fair_queueing
{
    [Fact]
    public void Callers_who_always_want_more_are_served_alike_however_much_each_asks() =>
        Gen.Select(Gen.Int[1, 6], Gen.Int[1, 60], Gen.Int[1, 60], Gen.Int[1, 20], Gen.Int[1, 20]).Sample(
        (rows, promptA, promptB, outputA, outputB) =>
        {
            var batch = new SimulatedBatch(new BatchLimits { Rows = rows, ContextLength = 96, Blocks = rows * 6, QueueLimit = 1000 });
            // One has forty requests in the queue, the other never more than a few: both always have one waiting.
            var id = 0;
            void Add(string caller, int prompt, int output) =>
                Assert.True(batch.TryAdd(new Sequence(id++, caller, new int[prompt], prompt + output)));
            for (var i = 0; i < 40; i++)
                Add("greedy", promptA, outputA);
            // Theorem of the token counter: 2 max(wp * longest input, wq * tokens that run at one time).
            var bound = 2 * Math.Max(Math.Max(promptA, promptB), FairQueue.OutputWeight * rows * 96);
            for (var step = 0; step < 300; step++)
            {
                while (batch.Scheduler.Waiting < 60)
                    Add(id % 2 == 0 ? "greedy" : "modest", id % 2 == 0 ? promptA : promptB, id % 2 == 0 ? outputA : outputB);
                batch.Step();
                Assert.InRange(Math.Abs(batch.Scheduler.ServedTo("greedy") - batch.Scheduler.ServedTo("modest")), 0, bound);
            }
        }, iter: 40);

    [Fact]
    public void A_newcomer_is_next_although_another_has_a_queue()
    {
        var queue = new FairQueue();
        for (var i = 0; i < 10; i++)
            queue.Enqueue(new Sequence(i, "crowd", [1], 9));
        for (var i = 0; i < 3; i++)
        {
            var next = queue.Next!;
            queue.Remove(next);
            queue.Charge("crowd", 10);
        }
        queue.Enqueue(new Sequence(99, "newcomer", [1], 9));
        queue.Charge("crowd", 1);
        Assert.Equal(99, queue.Next!.Id);
    }

    [Fact]
    public void Nobody_saves_up_service_by_staying_away()
    {
        var queue = new FairQueue();
        queue.Enqueue(new Sequence(0, "early", [1], 9));
        queue.Remove(queue.Next!);
        for (var i = 1; i < 5; i++)
            queue.Enqueue(new Sequence(i, "busy", [1], 9));
        queue.Charge("busy", 1000);
        queue.Enqueue(new Sequence(10, "early", [1], 9));
        Assert.Equal(1000, queue.ServedTo("early"));
    }

    [Fact]
    public void Requests_of_one_caller_keep_their_order()
    {
        var queue = new FairQueue();
        foreach (var id in new[] { 3, 1, 2 })
            queue.Enqueue(new Sequence(id, "", [1], 9));
        Assert.Equal([1L, 2L, 3L], Enumerable.Range(0, 3).Select(_ =>
        {
            var next = queue.Next!;
            queue.Remove(next);
            return next.Id;
        }));
    }
}
