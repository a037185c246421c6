using Cairn.Frameworks.Engine;
using static Cairn.Bench.Engine.EngineFigures;

namespace Cairn.Bench.Engine;

/// <summary>
/// What HTTP, scheduling, sampling and streaming cost: eight streams of the engine's process against the bare loop of eight rows, of whose two ways
/// to wait for work the one counts that is faster over the rounds.
/// </summary>
internal static class HttpLoad
{
    private const int Rows = 8;
    private const int Prompt = 128;
    private const int Output = 256;

    public static async Task<bool> RunAsync(string[] args)
    {
        var rounds = Rounds(args, 5);
        await using var engine = await EngineProcess.StartAsync([
            BenchModels.Large(), "--threads", $"{Threads}", "--rows", $"{Rows}", "--context", "1024", .. args.Skip(1)]);
        using var bare = new BareLoop(Rows, Prompt + Output, Threads);
        using var brief = new BareLoop(Rows, Prompt + Output, Threads, new EngineOptions().SpinMicroseconds);
        var connections = StreamConnection.Open(engine.Address, Rows);
        // The same prompts in every round: from the second on they are cached, and all streams begin at once.
        var requests = Enumerable.Range(0, Rows).Select(row => CompletionRequest.Greedy(BenchModels.Prompt(row, Prompt), Output)).ToArray();
        var measured = new List<(double Engine, double Bare, double Brief)>();
        for (var round = 0; round <= rounds; round++)
        {
            // By turns, so that what else the machine does meets all.
            var answers = round % 2 == 0 ? null : await DecodeRate.AskAsync(connections, row => [requests[row]]);
            var (standard, other) = (bare.TokensPerSecond(Prompt, Prompt + Output), brief.TokensPerSecond(Prompt, Prompt + Output));
            answers ??= await DecodeRate.AskAsync(connections, row => [requests[row]]);
            var now = (Engine: DecodeRate.WhileAllDecode(answers), Bare: standard, Brief: other);
            if (round == 0)
                continue;
            measured.Add(now);
            Say($"round {round}: engine over HTTP {now.Engine:N0} tokens/s, bare loop {now.Bare:N0}, and {now.Brief:N0} where its threads spin as the engine's do");
        }

        foreach (var connection in connections)
            connection.Dispose();
        var rivals = measured.Select(m => m.Bare).ToList();
        if (Median(measured.Select(m => m.Brief)) > Median(rivals))
            rivals = [.. measured.Select(m => m.Brief)];
        var ratio = Median(measured.Zip(rivals, (m, rival) => m.Engine / rival));
        return Row($"the engine's decode throughput over HTTP ({Rows} streams) against the bare ONNX Runtime step loop", "at least 95 %", ratio >= 0.95,
            $"{100 * ratio:N1} % ({Median(measured.Select(m => m.Engine)):N0} against {Median(rivals):N0} tokens/s)");
    }
}
