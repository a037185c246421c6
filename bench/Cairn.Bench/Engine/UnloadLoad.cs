using System.Text;
using Cairn.Frameworks.Tests.Tensors;
using static Cairn.Bench.Engine.EngineFigures;

namespace Cairn.Bench.Engine;

/// <summary>A model of 16 MiB loaded, asked once and unloaded by the repository's API, again and again; the process's memory after that.</summary>
internal static class UnloadLoad
{
    private const int Inputs = 1024;
    private const int Outputs = 4096;
    private const double ModelMiB = Inputs * (double)Outputs * sizeof(float) / (1 << 20);
    private static readonly int[] s_told = [1, 10, 100, 200, 500, 1_000];

    public static async Task<bool> RunAsync(string[] args)
    {
        var cycles = Rounds(args, 1_000);
        var repository = Directory.CreateTempSubdirectory("cairn-bench-unload-").FullName;
        try
        {
            OnnxModels.MatMul(Inputs, Outputs).Place(repository, "matrix");
            await using var engine = await EngineProcess.StartAsync("--repository", repository, "--on-demand");
            using var http = new HttpClient { BaseAddress = new Uri(engine.Address, "/v2/") };
            return await MeasureAsync(engine, http, cycles);
        }
        finally
        {
            Directory.Delete(repository, recursive: true);
        }
    }

    private static async Task<bool> MeasureAsync(EngineProcess engine, HttpClient http, int cycles)
    {
        var question = $$"""{"inputs":[{"name":"x","shape":[1,{{Inputs}}],"datatype":"FP32","data":[{{string.Join(',', Enumerable.Repeat("1", Inputs))}}]}]}""";
        var (unloaded, won) = (new List<double>(), new List<double>());
        for (var cycle = 1; cycle <= cycles; cycle++)
        {
            await PostAsync(http, "repository/models/matrix/load", "");
            await PostAsync(http, "models/matrix/infer", question);
            var loaded = MiB(engine);
            await PostAsync(http, "repository/models/matrix/unload", "");
            unloaded.Add(MiB(engine));
            won.Add(loaded - unloaded[^1]);
            if (s_told.Contains(cycle) || cycle == cycles)
                Say($"cycle {cycle}: {loaded:N1} MiB with the model, {unloaded[^1]:N1} MiB without");
        }

        // The runtime's own heap and code grow for some hundred calls (by about 20 MiB), so the second half is judged: its floor against the floor before it.
        var tenth = Math.Max(1, cycles / 10);
        var (early, late) = (unloaded.Skip(4 * tenth).Take(tenth).Min(), unloaded.TakeLast(tenth).Min());
        var back = Median(won) / ModelMiB;
        return Row($"{cycles:N0} loads and unloads of a model of {ModelMiB:N0} MiB", "process memory flat; after unload the model's memory is back",
            late - early < ModelMiB / 4 && back > 0.95,
            $"{early:N1} MiB after {5 * tenth:N0}, {late:N1} MiB after {cycles:N0}; unloading gives {100 * back:N0} % of the model's size back (median)");
    }

    private static double MiB(EngineProcess engine) => engine.ResidentBytes / (double)(1 << 20);

    private static async Task PostAsync(HttpClient http, string path, string body)
    {
        using var content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await http.PostAsync(new Uri(path, UriKind.Relative), content);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"POST {path} answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
        await response.Content.ReadAsByteArrayAsync();
    }
}
