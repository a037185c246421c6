using static Cairn.Bench.Engine.EngineFigures;

namespace Cairn.Bench.Engine;

/// <summary>The time to the first token of a prompt of 512 tokens that nobody has sent before, and of one whose first 480 somebody has.</summary>
internal static class PrefixLoad
{
    private const int Prompt = 512;
    private const int Shared = 480;

    public static async Task<bool> RunAsync(string[] args)
    {
        var rounds = Rounds(args, 10);
        await using var engine = await EngineProcess.StartAsync(BenchModels.Large(), "--threads", $"{Threads}", "--context", "1024");
        using var connection = StreamConnection.Open(engine.Address);
        var (cold, cached) = (new List<double>(), new List<double>());
        for (var round = 0; round < rounds + 2; round++)
        {
            var prompt = BenchModels.Prompt(10_000 + round, Prompt);
            var whole = await FirstTokenAsync(connection, prompt);
            var rest = await FirstTokenAsync(connection, [.. prompt[..Shared], .. BenchModels.Prompt(20_000 + round, Prompt - Shared)]);
            if (round < 2)
                continue;
            cold.Add(whole);
            cached.Add(rest);
            Say($"round {round - 1}: {1000 * whole:N0} ms uncached, {1000 * rest:N1} ms cached");
        }

        var ratio = Median(cached) / Median(cold);
        return Row($"time to first token of a {Prompt}-token prompt whose first {Shared} tokens are cached, against uncached", "at most a tenth", ratio <= 0.1,
            $"{ratio:N3} ({1000 * Median(cached):N1} ms against {1000 * Median(cold):N0} ms)");
    }

    private static async Task<double> FirstTokenAsync(StreamConnection connection, int[] prompt) =>
        (await connection.AskAsync(CompletionRequest.Greedy(prompt, 4))).FirstTokenSeconds;
}
