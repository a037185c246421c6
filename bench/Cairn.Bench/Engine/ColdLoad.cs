using System.Diagnostics;
using static Cairn.Bench.Engine.EngineFigures;

namespace Cairn.Bench.Engine;

/// <summary>From starting the program to the first streamed token. The files are in the page cache, as after any first start.</summary>
internal static class ColdLoad
{
    public static async Task<bool> RunAsync(string[] args)
    {
        var rounds = Rounds(args, 7);
        var large = await MeasureAsync("124M int4", BenchModels.Large(), rounds);
        var tiny = await MeasureAsync("tiny", BenchModels.Tiny(), rounds);
        return Row("cold start of the engine process to the first token", "under 1.5 s", large < 1.5 && tiny < 1.5,
            $"{large:N2} s (124M int4), {tiny:N2} s (the tiny model of examples/train-tiny-lm)");
    }

    private static async Task<double> MeasureAsync(string what, string folder, int rounds)
    {
        var took = new List<double>();
        for (var round = 0; round <= rounds; round++)
        {
            await using var engine = await EngineProcess.StartAsync(folder, "--threads", $"{Threads}");
            var ready = Stopwatch.GetElapsedTime(engine.Began).TotalSeconds;
            using var connection = StreamConnection.Open(engine.Address);
            // Always the byte 'a', whose text is whole.
            var answer = await connection.AskAsync(CompletionRequest.Write([72, 101, 108, 108, 111], 1, """
                "temperature":0,"logit_bias":{"97":100}
                """));
            var first = Stopwatch.GetElapsedTime(engine.Began, answer.Heard[0]).TotalSeconds;
            if (round == 0)
                continue;
            took.Add(first);
            Say($"{what}, start {round}: ready after {ready:N2} s, first token after {first:N2} s, {engine.ProcessorTime.TotalSeconds:N2} s of processor time");
        }

        return Median(took);
    }
}
