using static Cairn.Bench.Engine.EngineFigures;

namespace Cairn.Bench.Engine;

/// <summary>Generated tokens a second over HTTP, prompts included, of the engine and of llama-server by turns.</summary>
internal static class LlamaLoad
{
    private const int Rows = 8;
    private const int Prompt = 128;
    private const int Output = 128;
    private static int s_prompts;

    public static async Task<bool> RunAsync(string[] args)
    {
        var rounds = Rounds(args, 4);
        await using var engine = await EngineProcess.StartAsync([
            BenchModels.Large(), "--threads", $"{Threads}", "--rows", $"{Rows}", "--context", "1024", .. args.Skip(1)]);
        await using var llama = await LlamaProcess.StartAsync(
            "-m", BenchModels.LargeForLlama(), "-t", $"{Threads}", "-np", $"{Rows}", "-c", $"{Rows * 1024}");
        var ratios = new List<(int Concurrency, double Engine, double Llama)>();
        for (var round = 0; round <= rounds; round++)
            foreach (var concurrency in (int[])[1, Rows])
            {
                // The same prompts for both, and other ones in every round, so that neither has seen them.
                var prompts = Enumerable.Range(0, 2 * concurrency).Select(_ => CompletionRequest.Greedy(BenchModels.Prompt(++s_prompts, Prompt), Output)).ToArray();
                var now = (concurrency, await MeasureAsync(engine.Address, prompts, concurrency), await MeasureAsync(llama.Address, prompts, concurrency));
                if (round == 0)
                    continue;
                ratios.Add(now);
                Say($"round {round}, concurrency {concurrency}: engine {now.Item2:N0} tokens/s, llama-server {now.Item3:N0}");
            }

        var (one, eight) = (Of(ratios, 1), Of(ratios, Rows));
        return Row("generated tokens/s over HTTP against `llama-server`, same weights (Q4_0), threads and prompts, concurrency 1 and 8", "at least 1× and 2×",
            one.Ratio >= 1 && eight.Ratio >= 2,
            $"{one.Ratio:N2}× ({one.Engine:N0} against {one.Llama:N0}) and {eight.Ratio:N2}× ({eight.Engine:N0} against {eight.Llama:N0})");
    }

    private static async Task<double> MeasureAsync(Uri address, byte[][] requests, int concurrency)
    {
        // A connection for each request, since llama-server closes its own after a stream.
        var answers = (await Task.WhenAll(Enumerable.Range(0, concurrency).Select(async index =>
        {
            var mine = new List<StreamedAnswer>();
            foreach (var request in requests[(2 * index)..(2 * index + 2)])
            {
                using var connection = StreamConnection.Open(address);
                mine.Add(await connection.AskAsync(request));
            }

            return mine;
        }))).SelectMany(mine => mine).ToList();
        return answers.All(answer => answer.Tokens == Output) ? DecodeRate.Whole(answers)
            : throw new InvalidOperationException($"{address} gave outputs of {string.Join(", ", answers.Select(answer => answer.Tokens))} tokens; expected {Output} each");
    }

    private static (double Ratio, double Engine, double Llama) Of(List<(int Concurrency, double Engine, double Llama)> all, int concurrency)
    {
        var these = all.Where(measured => measured.Concurrency == concurrency).ToList();
        return (Median(these.Select(m => m.Engine / m.Llama)), Median(these.Select(m => m.Engine)), Median(these.Select(m => m.Llama)));
    }
}
