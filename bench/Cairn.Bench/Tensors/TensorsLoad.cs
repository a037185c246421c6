using System.Diagnostics;
using System.Globalization;
using System.Net;
using Cairn.Bench.Figures;
using Cairn.Frameworks.Engine.Hosting;
using Cairn.Frameworks.Engine.Tensors;
using Cairn.Frameworks.Tests.Tensors;

namespace Cairn.Bench.Tensors;

/// <summary>
/// Requests a second of tree models by the Open Inference Protocol, with dynamic batching and without: the same graph twice in one engine
/// with
/// its defaults, one row of 20 features a request, every answer checked. Once a forest alone, once the forest behind a pipeline that
/// imputes,
/// clips and scales each column by operators of its own. Clients share the machine with the engine; they write and read raw HTTP, so that
/// most
/// of the time is the engine's.
/// </summary>
internal static class TensorsLoad
{
    private const int Features = 20;
    private const int Bodies = 256;

    /// <summary>Arguments: trees (default 100), depth (default 6), clients (default 64), seconds of each measurement (default 3).</summary>
    public static async Task<bool> RunAsync(string[] args)
    {
        var numbers = args.Select(arg => int.Parse(arg, CultureInfo.InvariantCulture)).ToArray();
        var size = (Trees: Or(0, 100), Depth: Or(1, 6));
        var (clients, seconds) = (Or(2, 64), Or(3, 3));
        await RunAsync(size, prepares: false, clients, TimeSpan.FromSeconds(seconds));
        return await RunAsync(size, prepares: true, clients, TimeSpan.FromSeconds(seconds));

        int Or(int at, int otherwise) => at < numbers.Length ? numbers[at] : otherwise;
    }

    private static async Task<bool> RunAsync((int Trees, int Depth) size, bool prepares, int clients, TimeSpan time)
    {
        var repository = Directory.CreateTempSubdirectory("cairn-bench-tensors-").FullName;
        try
        {
            var forest = new TreeModels(size.Trees, size.Depth, Features, seed: 1, prepares);
            forest.Model.Place(repository, "batched", config: "max_batch_size: 64 dynamic_batching { }");
            forest.Model.Place(repository, "alone", config: "max_batch_size: 64");
            await using var engine = await EngineHost.StartAsync(
                new EngineHostOptions
                {
                    Http = new IPEndPoint(IPAddress.Loopback, 0), Grpc = null, Tensors = new TensorOptions { Repositories = { repository } },
                },
                TimeProvider.System, logging => { }, CancellationToken.None);
            await engine.Ready;
            var nodes = forest.Model.Graph.Node.Count;
            return await CompareAsync(engine, forest, $"{size.Trees} trees of depth {size.Depth}, {nodes} operators", clients, time);
        }
        finally
        {
            Directory.Delete(repository, recursive: true);
        }
    }

    private static async Task<bool> CompareAsync(EngineHost engine, TreeModels forest, string model, int clients, TimeSpan time)
    {
        var rates = new Dictionary<string, List<double>> { ["alone"] = [], ["batched"] = [] };
        // By turns, so that what else the machine does meets both.
        for (var round = 0; round < 3; round++)
            foreach (var (name, measured) in rates)
            {
                await MeasureAsync(engine, name, forest, clients, TimeSpan.FromSeconds(round == 0 ? 3 : 0.5));
                measured.Add(await MeasureAsync(engine, name, forest, clients, time));
            }

        var (alone, batched) = (Median(rates["alone"]), Median(rates["batched"]));
        var counts = engine.Repository.Find("batched", null).Statistics.Snapshot();
        var rows = (double)counts.Inferences / counts.Executions;
        var text = FigureRow.Text(
            $"{batched / alone:N1}× ({batched:N0} against {alone:N0} requests/s; {model}, {rows:N1} rows an execution)");
        Console.WriteLine(text);
        FigureRow.Print($"a {Features}-feature tree model (ONNX), {clients} clients, dynamic batching against none", "at least 3×", text);
        return batched >= 3 * alone;
    }

    private static async Task<double> MeasureAsync(EngineHost engine, string model, TreeModels forest, int clients, TimeSpan time)
    {
        var random = new Random(7);
        var bodies = Enumerable.Range(0, Bodies).Select(_ => Enumerable.Range(0, Features).Select(_ => random.NextSingle()).ToArray())
            .Select(row => new InferBody(new Uri(engine.HttpAddress), model, row, forest.Answer(row))).ToArray();
        using var ends = new CancellationTokenSource();
        var clock = Stopwatch.StartNew();
        var running = Enumerable.Range(0, clients).Select(client => RawClient.RunAsync(bodies, client, ends.Token)).ToList();
        await Task.Delay(time);
        await ends.CancelAsync();
        var answered = (await Task.WhenAll(running)).Sum();
        return answered / clock.Elapsed.TotalSeconds;
    }

    private static double Median(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
