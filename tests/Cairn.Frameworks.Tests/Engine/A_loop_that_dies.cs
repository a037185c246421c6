using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Engine.Batching;
using Cairn.Frameworks.Engine.Decoding;
using Cairn.Frameworks.Sampling;
using Cairn.Frameworks.Tokenizing;

namespace Cairn.Frameworks.Tests.Engine;

public sealed class A_loop_that_dies
{
    [Fact]
    public async Task Fails_every_generation_tells_its_fault_and_takes_nothing_more()
    {
        using var model = new TinyModel();
        var tokenizer = Tokenizer.Load(model.Folder);
        var decoder = new DecoderThatDies();
        var limits = new BatchLimits { Rows = 2, ContextLength = 64, Blocks = 8, QueueLimit = 8 };
        var loop = new EngineLoop(new LoadedDecoder(decoder, limits, new StepCosts(2), [], new ModelFacts("fp32", true, 2, 0)), TimeProvider.System);
        var all = Enumerable.Range(0, 5).Select(i => Begin(i)).ToList();

        decoder.MayDie.Set();

        // Two run, three wait, and all hear of it.
        foreach (var generation in all)
        {
            var error = await Assert.ThrowsAsync<EngineException>(async () =>
            {
                await foreach (var _ in generation.ReadAllAsync(CancellationToken.None).WithCancellation(CancellationToken.None))
                {
                }
            });
            Assert.Contains("out of luck", error.Message, StringComparison.Ordinal);
        }
        await Running_generations.UntilAsync(() => loop.Fault is not null && decoder.IsDisposed);
        Assert.Throws<EngineException>(() => Begin(9));
        await loop.DisposeAsync();

        Generation Begin(int id)
        {
            var sequence = new Sequence(id, "", [1, 2, 3], 40);
            var generation = new Generation(64);
            loop.Start(new LiveGeneration(sequence, generation)
            {
                Sampler = new Sampler(new SamplingSpec { Temperature = 0 }, [1], 1), Text = new OutputText(tokenizer.NewStream(), []),
                EndTokens = [], Vocabulary = 8,
            }, CancellationToken.None);
            return generation;
        }
    }

    /// <summary>Simulates a runtime whose third decode step fails.</summary>
    private sealed class DecoderThatDies : IDecoder
    {
        private int _steps;

        public ManualResetEventSlim MayDie { get; } = new();

        public bool IsDisposed { get; private set; }

        public int VocabularySize => 8;

        public int BlockBytes => 16;

        public Span<float> Prefill(int row, ReadOnlySpan<int> tokens, int past) => new float[8];

        public Span<float> Decode(ReadOnlySpan<int> tokens, ReadOnlySpan<int> pasts)
        {
            if (++_steps < 3)
                return new float[8 * tokens.Length];
            MayDie.Wait();
            throw new InvalidOperationException("out of luck");
        }

        public void Swap(RowSwap swap)
        {
        }

        public void Save(int row, int start, Span<byte> block)
        {
        }

        public void Restore(int row, int start, ReadOnlySpan<int> slots, NativeBuffer pool)
        {
        }

        public void Empty(int row)
        {
        }

        public void Dispose() => IsDisposed = true;
    }
}
