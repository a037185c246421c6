using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Onnx.Decoders;

namespace Cairn.Frameworks.Tests.Engine;

/// <summary>What others of this process allocate meanwhile would be counted, so nothing runs beside it.</summary>
[CollectionDefinition(nameof(Unloading_models), DisableParallelization = true)]
[Collection(nameof(Unloading_models))]
[Trait("speed", "slow")]
public sealed class Unloading_models
{
    [Fact]
    public async Task A_model_that_is_unloaded_gives_its_memory_back()
    {
        using var model = new TinyModel(shape: DecoderShape.Tiny with { Context = 4096, Vocabulary = 4000 });
        var options = new EngineOptions { Threads = 1, PrefixCacheBytes = 8 << 20 };
        long after = 0;
        for (var load = 0; load < 60; load++)
        {
            await using (var engine = model.Load(options))
                await Task.WhenAll(Enumerable.Range(0, 8).Select(i =>
                    TinyModel.RunAsync(engine, TinyModel.Greedy(TinyModel.Prompt(i, 300), 4))));
            if (load == 20)
                after = Resident();
        }

        // A cache of 8 rows takes 16 MiB alone: if one in twenty stayed, this would pass the bound.
        Assert.InRange(Resident() - after, long.MinValue, 24L << 20);

        static long Resident()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            using var process = System.Diagnostics.Process.GetCurrentProcess();
            return process.WorkingSet64;
        }
    }
}
