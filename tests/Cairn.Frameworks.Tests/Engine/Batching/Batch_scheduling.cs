using Cairn.Frameworks.Engine.Batching;
using CsCheck;

namespace Cairn.Frameworks.Tests.Engine.Batching;

public sealed class Batch_scheduling
{
    private sealed record Request(int Arrival, int Caller, int Shared, int Own, int Output, int? CancelAfter);

    private static readonly Gen<Request> Requests =
        from arrival in Gen.Int[0, 60]
        from caller in Gen.Int[0, 3]
        from shared in Gen.Int[0, 70]
        from own in Gen.Int[1, 40]
        from output in Gen.Int[1, 40]
        from cancel in Gen.Frequency((4, Gen.Const(-1)), (1, Gen.Int[0, 60]))
        select new Request(arrival, caller, shared, own, output, cancel < 0 ? null : cancel);

    private static readonly Gen<BatchLimits> Limits =
        from rows in Gen.Int[1, 6]
        from blocks in Gen.Int[10, 40]
        from slots in Gen.OneOf(Gen.Const(0), Gen.Int[1, 8], Gen.Const(64))
        from largest in Gen.Int[8, 64]
        select new BatchLimits
        {
            Rows = rows, ContextLength = 160, Blocks = blocks, QueueLimit = 1000, PrefixSlots = slots, LargestChunk = largest,
        };

    [Fact]
    public void Whatever_arrives_each_says_what_it_says_alone_and_the_books_are_right() =>
        Gen.Select(Limits, Requests.List[1, 30]).Sample((limits, requests) => Run(limits, requests), iter: 400);

    [Fact]
    public void A_row_left_unmoved_is_noticed()
    {
        // The control of the property above: what is not carried out changes what is said.
        var limits = new BatchLimits { Rows = 2, ContextLength = 64, Blocks = 8, QueueLimit = 8 };
        var scheduler = new BatchScheduler(limits);
        var (first, second) = (new Sequence(1, "", [1, 2], 8), new Sequence(2, "", [3, 4], 30));
        scheduler.TryEnqueue(first);
        scheduler.TryEnqueue(second);
        var plan = new StepPlan();
        scheduler.Plan(SimulatedBatch.MeasuredCosts(2), plan);
        scheduler.Append(first, 0);
        scheduler.Append(second, 0);
        scheduler.Remove(first);
        scheduler.Plan(SimulatedBatch.MeasuredCosts(2), plan);

        Assert.Equal([new RowSwap(0, 0, 1, 2)], plan.Swaps);
        Assert.Equal(0, second.Row);
    }

    [Fact]
    public void Short_memory_takes_rows_back_from_the_youngest_and_all_finish_as_alone()
    {
        var batch = new SimulatedBatch(new BatchLimits { Rows = 4, ContextLength = 160, Blocks = 14, QueueLimit = 8, PrefixSlots = 3 });
        var sequences = Enumerable.Range(0, 4).Select(i => new Sequence(i, "", [i, i, i, 7], 150)).ToList();
        foreach (var sequence in sequences)
            Assert.True(batch.TryAdd(sequence));
        RunDown(batch, 4);

        Assert.True(batch.Scheduler.Preemptions > 3, "memory for one and a half sequences makes some give their rows back");
        Assert.Equal(0, sequences[0].Preemptions);
        Assert.All(sequences, s => Assert.Equal(SimulatedBatch.Alone([(int)s.Id, (int)s.Id, (int)s.Id, 7], 150), s.Tokens));
        Assert.Equal(0, batch.Scheduler.UsedBlocks);
    }

    [Fact]
    public void A_long_prompt_makes_running_streams_wait_no_longer_than_their_budget()
    {
        var batch = new SimulatedBatch(new BatchLimits { Rows = 4, ContextLength = 4096, Blocks = 1024, QueueLimit = 8 });
        for (var i = 0; i < 3; i++)
            batch.TryAdd(new Sequence(i, "", [i + 1], 400));
        while (batch.Scheduler.Decoding < 3)
            batch.Step();
        batch.Steps.Clear();
        var prompt = Enumerable.Range(0, 2000).Select(i => i % 5).ToArray();
        batch.TryAdd(new Sequence(9, "", prompt, 2010));
        while (batch.Scheduler.Decoding < 4)
            batch.Step();

        // Three rows take 5 ms, so prefill may take 6.25 ms: 6 tokens at 1 ms each.
        Assert.All(batch.Steps, step => Assert.InRange(step.PrefillTokens, 0, 6));
        Assert.All(batch.Steps, step => Assert.Equal(3, step.Decodes));
        Assert.Equal(334, batch.Steps.Count);
    }

    [Fact]
    public void Who_waits_for_a_first_token_weighs_as_much_as_who_waits_for_the_next()
    {
        var batch = new SimulatedBatch(new BatchLimits { Rows = 8, ContextLength = 512, Blocks = 256, QueueLimit = 8 });
        batch.TryAdd(new Sequence(0, "", [1], 400));
        while (batch.Scheduler.Decoding < 1)
            batch.Step();
        batch.Steps.Clear();
        for (var i = 1; i < 8; i++)
            batch.TryAdd(new Sequence(i, "", new int[128], 200));
        batch.Step();

        // One row takes 3 ms, seven prompts wait: 7 * 1.25 * 3 ms = 26.25 ms of prefill.
        Assert.InRange(batch.Steps[0].PrefillTokens, 24, 26);
    }

    [Fact]
    public void A_short_prompt_does_not_wait_for_a_long_one_before_it()
    {
        var batch = new SimulatedBatch(new BatchLimits { Rows = 4, ContextLength = 4096, Blocks = 1024, QueueLimit = 8 });
        batch.TryAdd(new Sequence(0, "", [1], 500));
        while (batch.Scheduler.Decoding < 1)
            batch.Step();
        var prompt = new int[2000];
        batch.TryAdd(new Sequence(1, "", prompt, 2010));
        var shortOne = new Sequence(2, "", [1, 2, 3, 4], 10);
        batch.TryAdd(shortOne);
        var steps = 0;
        for (; shortOne.Length == 4; steps++)
            batch.Step();
        Assert.InRange(steps, 1, 4);
    }

    [Fact]
    public void Two_prompts_with_one_beginning_compute_it_once_even_when_they_arrive_together()
    {
        var batch = new SimulatedBatch(new BatchLimits
        {
            Rows = 2, ContextLength = 256, Blocks = 64, QueueLimit = 8, PrefixSlots = 64, LargestChunk = 32,
        });
        var prompt = Enumerable.Range(0, 160).ToArray();
        batch.TryAdd(new Sequence(0, "", prompt, 170));
        batch.TryAdd(new Sequence(1, "", prompt, 170));
        RunDown(batch, 2);

        Assert.InRange(batch.Steps.Sum(s => s.PrefillTokens), 160, 192);
        Assert.All(batch.Finished, s => Assert.Equal(SimulatedBatch.Alone(prompt, 170), s.Tokens));
        Assert.InRange(batch.Finished[^1].CachedTokens, 128, 159);
    }

    [Fact]
    public void One_more_than_may_wait_is_refused()
    {
        var scheduler = new BatchScheduler(new BatchLimits { Rows = 1, ContextLength = 32, Blocks = 2, QueueLimit = 2 });
        Assert.True(scheduler.TryEnqueue(new Sequence(1, "", [1], 9)));
        Assert.True(scheduler.TryEnqueue(new Sequence(2, "", [1], 9)));
        Assert.True(scheduler.TryEnqueue(new Sequence(3, "", [1], 9)));
        Assert.False(scheduler.TryEnqueue(new Sequence(4, "", [1], 9)));
    }

    [Fact]
    public void A_budget_that_cannot_hold_one_sequence_is_refused() =>
        Assert.Throws<ArgumentException>(() =>
            new BatchScheduler(new BatchLimits { Rows = 1, ContextLength = 33, Blocks = 2, QueueLimit = 2 }));

    private static void Run(BatchLimits limits, List<Request> requests)
    {
        var batch = new SimulatedBatch(limits);
        var common = Enumerable.Range(0, 70).Select(i => i % 5).ToArray();
        var all = requests.Select((r, i) =>
        {
            var prompt = common[..r.Shared].Concat(Enumerable.Repeat(i % 5, r.Own)).ToArray();
            return (Request: r, Prompt: prompt, Sequence: new Sequence(i, $"caller {r.Caller}", prompt, prompt.Length + r.Output));
        }).ToList();
        var cancelled = 0;
        var step = 0;
        // Each token of every sequence may take one step, each preemption as many again; whoever starves passes this bound.
        for (; batch.Finished.Count + cancelled < all.Count; step++)
        {
            Assert.True(step < 50_000, "some sequence starves");
            foreach (var (request, _, sequence) in all.Where(a => a.Request.Arrival == step))
                Assert.True(batch.TryAdd(sequence));
            foreach (var (_, _, sequence) in all.Where(a => a.Request.CancelAfter is { } after && a.Request.Arrival + after == step))
                if (!batch.Finished.Contains(sequence))
                {
                    batch.Cancel(sequence);
                    cancelled++;
                }
            batch.Step();
        }
        foreach (var (_, prompt, sequence) in all)
            Assert.Equal(SimulatedBatch.Alone(prompt, sequence.MaximumLength)[..sequence.Length], sequence.Tokens);
        Assert.Equal(0, batch.Scheduler.UsedBlocks);
        Assert.Equal(0, batch.Scheduler.Running);
    }

    private static void RunDown(SimulatedBatch batch, int sequences)
    {
        for (var steps = 0; batch.Finished.Count < sequences; steps++)
        {
            Assert.True(steps < 20_000, "some sequence starves");
            batch.Step();
        }
    }
}
