using static Cairn.Bench.Engine.EngineFigures;

namespace Cairn.Bench.Engine;

/// <summary>Output that a JSON Schema constrains against free output of exactly as many tokens, by turns.</summary>
internal static class JsonLoad
{
    private const int Rows = 8;
    private const int Most = 160;

    /// <summary>An order as people let models read it from a mail.</summary>
    private const string Schema =
        """
        {"type":"object","additionalProperties":false,"required":["customer","placed","items","total","paid","note"],"properties":{
        "customer":{"type":"object","additionalProperties":false,"required":["name","email","tier"],"properties":{
        "name":{"type":"string","minLength":1,"maxLength":40},"email":{"type":"string","maxLength":40},"tier":{"enum":["free","team","business"]}}},
        "placed":{"type":"string","format":"date"},
        "items":{"type":"array","minItems":2,"maxItems":6,"items":{"type":"object","additionalProperties":false,"required":["sku","quantity","price"],"properties":{
        "sku":{"type":"string","pattern":"^[A-Z]{3}-[0-9]{4}$"},"quantity":{"type":"integer","minimum":1,"maximum":99},"price":{"type":"number"},
        "tags":{"type":"array","maxItems":3,"items":{"type":"string","maxLength":12}}}}},
        "total":{"type":"number"},"paid":{"type":"boolean"},"note":{"type":["string","null"],"maxLength":120}}}
        """;

    public static async Task<bool> RunAsync(string[] args)
    {
        var rounds = Rounds(args, 4);
        await using var engine = await EngineProcess.StartAsync(
            BenchModels.Large(), "--threads", $"{Threads}", "--rows", $"{Rows}", "--context", "1024");
        var measured = new List<(int Concurrency, double Constrained, double Free, double Mean)>();
        for (var round = 0; round <= rounds; round++)
            foreach (var (concurrency, each) in ((int, int)[])[(1, 6), (Rows, 3)])
            {
                var now = await CompareAsync(engine.Address, concurrency, each, round);
                if (round == 0)
                    continue;
                measured.Add((concurrency, now.Constrained, now.Free, now.Mean));
                Say($"round {round}, concurrency {concurrency}: constrained {now.Constrained:N0} tokens/s, free {now.Free:N0}, {now.Mean:N0} tokens an output");
            }

        var (one, eight) = (Of(measured, 1), Of(measured, Rows));
        return Row("constrained JSON output against free output, tokens/s, concurrency 1 and 8", "at least 85 %", one.Ratio >= 0.85 && eight.Ratio >= 0.85,
            $"{100 * one.Ratio:N0} % ({one.Constrained:N0} against {one.Free:N0}) and {100 * eight.Ratio:N0} % ({eight.Constrained:N0} against {eight.Free:N0})");
    }

    private static async Task<(double Constrained, double Free, double Mean)> CompareAsync(Uri address, int concurrency, int each, int round)
    {
        var connections = StreamConnection.Open(address, concurrency);
        // Random weights choose random tokens: with a temperature, so that outputs differ, and a seed, so that they come again.
        string Sampling(int client, int request) => $"\"temperature\":1,\"seed\":{(((round * Rows) + client) * 100) + request}";
        var constrained = await DecodeRate.AskAsync(connections, client => Enumerable.Range(0, each).Select(request => CompletionRequest.Write(
            BenchModels.Prompt(client, 32), Most, $"{Sampling(client, request)},\"guided_json\":{Schema.ReplaceLineEndings("")}")));
        var free = await DecodeRate.AskAsync(connections, client => Enumerable.Range(0, each).Select(request => CompletionRequest.Write(
            BenchModels.Prompt(client, 32), constrained[(client * each) + request].Tokens, $"{Sampling(client, request)},\"ignore_eos\":true")));
        foreach (var connection in connections)
            connection.Dispose();
        return (DecodeRate.Whole(constrained), DecodeRate.Whole(free), constrained.Average(answer => answer.Tokens));
    }

    private static (double Ratio, double Constrained, double Free) Of(List<(int Concurrency, double Constrained, double Free, double Mean)> all, int concurrency)
    {
        var these = all.Where(measured => measured.Concurrency == concurrency).ToList();
        return (Median(these.Select(m => m.Constrained / m.Free)), Median(these.Select(m => m.Constrained)), Median(these.Select(m => m.Free)));
    }
}
