using System.Runtime.InteropServices;
using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Frameworks.Tests.Tensors;

/// <summary>What is measured is this process, so nothing else may run in it meanwhile.</summary>
[CollectionDefinition(nameof(Alone), DisableParallelization = true)]
public sealed class Alone;

[Collection(nameof(Alone))]
public sealed class Memory_of_repositories
{
    /// <summary>
    /// A thousand loads of a 16 MiB model: what stays of it is less than one model, and each unload gives its memory back.
    /// </summary>
    [Fact]
    [Trait("speed", "slow")]
    public async Task A_thousand_loads_and_unloads_leave_the_memory_flat()
    {
        await using var models = await Repository.OpenAsync(folder => OnnxModels.MatMul(2048, 2048).Place(folder, "m"), options => options.LoadsOnDemand = true);
        float[] ones = [.. Enumerable.Repeat(1f, 2048)];
        var unloaded = new List<long>();
        var loaded = new List<long>();
        for (var i = 0; i < 1000; i++)
        {
            await models.Models.LoadAsync("m", null, CancellationToken.None);
            var answer = await models.Find("m").InferAsync(
                [new Tensor("x", TensorType.Float32, [1, 2048], MemoryMarshal.AsBytes(ones.AsSpan()).ToArray())], [], 0, 0, CancellationToken.None);
            Assert.NotNull(answer.Outputs);
            if (i % 100 == 99)
                loaded.Add(ResidentBytes());
            await models.Models.UnloadAsync("m", CancellationToken.None);
            if (i % 100 == 99)
                unloaded.Add(ResidentBytes());
        }

        TestContext.Current.TestOutputHelper!.WriteLine(
            $"KiB loaded: {string.Join(' ', loaded.Select(bytes => bytes >> 10))}; unloaded: {string.Join(' ', unloaded.Select(bytes => bytes >> 10))}");
        // The allocator may keep a block or two for a while; a leak would raise the floor and the gap would close.
        Assert.InRange(unloaded.TakeLast(4).Min() - unloaded.Take(4).Min(), long.MinValue, 8 << 20);
        // What tests before it left may still go meanwhile, so only a rise counts.
        Assert.InRange(unloaded.Select((bytes, i) => bytes - unloaded.Take(i + 1).Min()).Max(), 0, 48L << 20);
        Assert.True(loaded.Average() - unloaded.Average() > 14 << 20, "a loaded model is in memory");
    }

    private static long ResidentBytes()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        return long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[1]) * Environment.SystemPageSize;
    }
}
