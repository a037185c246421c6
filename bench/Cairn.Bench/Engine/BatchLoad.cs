using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Engine.Measuring;
using static Cairn.Bench.Engine.EngineFigures;

namespace Cairn.Bench.Engine;

/// <summary>What batching wins: the engine's loop in this process, and the bare loop beside it.</summary>
internal static class BatchLoad
{
    private const int Prompt = 128;
    private const int Output = 128;

    public static async Task<bool> RunAsync(string[] args)
    {
        var rounds = Rounds(args, 5);
        await using var model = LanguageModel.Load(BenchModels.Large(), new EngineOptions { Threads = Threads, ContextLength = 1024 }, TimeProvider.System);
        using var bareOne = new BareLoop(1, Prompt + Output, Threads);
        using var bareEight = new BareLoop(8, Prompt + Output, Threads);
        var (engine, bare) = (new List<(double One, double Eight)>(), new List<(double One, double Eight)>());
        for (var round = 0; round <= rounds; round++)
        {
            var now = (One: await EngineAsync(model, 1), Eight: await EngineAsync(model, 8));
            var bareNow = (bareOne.TokensPerSecond(Prompt, Prompt + Output), bareEight.TokensPerSecond(Prompt, Prompt + Output));
            // The first round is warm-up.
            if (round == 0)
                continue;
            engine.Add(now);
            bare.Add(bareNow);
            Say($"round {round}: engine {now.One:N0} → {now.Eight:N0} tokens/s, bare loop {bareNow.Item1:N0} → {bareNow.Item2:N0}");
        }

        var ratio = Median(engine.Select(pair => pair.Eight / pair.One));
        return Row("tokens/s at batch 8 against batch 1, two threads", "at least 2.3×", ratio >= 2.3,
            $"{ratio:N2}× ({Median(engine.Select(p => p.One)):N0} → {Median(engine.Select(p => p.Eight)):N0}; the bare loop {Median(bare.Select(p => p.Eight / p.One)):N2}×, {Median(bare.Select(p => p.One)):N0} → {Median(bare.Select(p => p.Eight)):N0})");
    }

    private static async Task<double> EngineAsync(LanguageModel model, int batch) =>
        (await ModelBench.RunAsync(model, batch, Prompt, Output, TimeProvider.System, CancellationToken.None)).TokensPerSecond;
}
