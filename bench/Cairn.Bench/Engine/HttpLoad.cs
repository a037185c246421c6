using Cairn.Frameworks.Engine;
using static Cairn.Bench.Engine.EngineFigures;

namespace Cairn.Bench.Engine;

/// <summary>
/// What HTTP, scheduling, sampling and streaming cost: eight streams of the engine's process against the bare loop of eight rows, of whose two ways
/// to wait for work each round takes the faster one.
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
        var measured = new List<(double Engine, double Bare)>();
        for (var round = 0; round <= rounds; round++)
        {
            // By turns, so that what else the machine does meets all.
            var answers = round % 2 == 0 ? null : await DecodeRate.AskAsync(connections, row => [requests[row]]);
            var (one, other) = (bare.TokensPerSecond(Prompt, Prompt + Output), brief.TokensPerSecond(Prompt, Prompt + Output));
            answers ??= await DecodeRate.AskAsync(connections, row => [requests[row]]);
            var now = (Engine: DecodeRate.WhileAllDecode(answers), Bare: Math.Max(one, other));
            if (round == 0)
                continue;
            measured.Add(now);
            Say($"round {round}: engine over HTTP {now.Engine:N0} tokens/s, bare loop {one:N0}, and {other:N0} where its threads spin as the engine's do");
        }

        foreach (var connection in connections)
            connection.Dispose();
        var ratio = Median(measured.Select(pair => pair.Engine / pair.Bare));
        return Row($"the engine's decode throughput over HTTP ({Rows} streams) against the bare ONNX Runtime step loop", "at least 95 %", ratio >= 0.95,
            $"{100 * ratio:N1} % ({Median(measured.Select(p => p.Engine)):N0} against {Median(measured.Select(p => p.Bare)):N0} tokens/s)");
    }
}
