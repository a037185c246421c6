using System.Globalization;
using System.Text.RegularExpressions;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Offers;
using Cairn.Contracts.Workloads;
using Cairn.Frameworks.Engine;
using Cairn.Frameworks.Fitting;
using Cairn.Frameworks.Recipes.Serving;

namespace Cairn.Cli.Endpoints;

/// <summary>A folder with a model, or a GGUF file, as a workload: its files travel to every node, and the engine that reads them serves it.</summary>
internal static partial class ServedFolder
{
    /// <summary>Files of which a folder with a model of texts, for Cairn's own engine, has one.</summary>
    private static readonly string[] s_textFiles = ["genai_config.json", "config.json"];

    public static ServedThing Of(string folder, ServeWish wish)
    {
        RequireNoPlan(wish);
        var ggufs = Directory.EnumerateFiles(folder, "*.gguf").Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal).ToList();
        var isOnnx = File.Exists(Path.Combine(folder, "model.onnx")) || File.Exists(Path.Combine(folder, "genai_config.json")) || Directory.Exists(Path.Combine(folder, "onnx"));
        var engine = wish.Engine ?? (ggufs.Count > 0 && !isOnnx ? ServingRecipes.LlamaCpp.Name : ServingRecipes.Cairn.Name);
        var recipe = ServeWish.Recipe(engine);
        if (recipe == ServingRecipes.LlamaCpp)
            return OfGguf(Path.Combine(folder, TheOne(folder, ggufs)), wish with { Name = wish.Name ?? ServedThing.NameOf(Path.GetFileName(folder)) });
        var name = wish.Name ?? ServedThing.NameOf(Path.GetFileName(folder));
        if (recipe != ServingRecipes.Cairn)
            return new ServedThing(ServedThing.Write(recipe, Start(".", name, wish), Place(folder, null, name, wish), folder)) { Context = wish.Context, Concurrency = wish.Concurrency };
        if (wish.Gpu is not null)
            throw new CliException(ExitCodes.Usage, "Cairn's own engine runs on processors; leave out --gpu, or name another --engine.");
        if (!s_textFiles.Any(file => File.Exists(Path.Combine(folder, file))))
        {
            return ServedTensors.Find(folder, wish) ?? throw new CliException(
                ExitCodes.Usage, $"{folder} holds no model: expected {string.Join(" or ", s_textFiles)}, model.onnx, MODEL/1/model.onnx, or a .gguf file.");
        }

        if (wish.Concurrency is < 1 or > EngineOptions.MostRows)
            throw new CliException(ExitCodes.Usage, $"--concurrency is {wish.Concurrency}; Cairn's own engine runs 1 to {EngineOptions.MostRows} sequences at once.");
        if (wish.Context is < EngineOptions.LeastContext or > EngineOptions.MostContext)
            throw new CliException(ExitCodes.Usage, $"--context is {wish.Context}; expected {EngineOptions.LeastContext} to {EngineOptions.MostContext} tokens.");
        return new ServedThing(new WorkloadText("model.yaml", folder, OnnxFolder(folder, name, wish))) { Context = wish.Context, Concurrency = wish.Concurrency };
    }

    /// <summary>One file, or all parts of one that was split.</summary>
    public static ServedThing OfGguf(string file, ServeWish wish)
    {
        RequireNoPlan(wish);
        var recipe = ServeWish.Recipe(wish.Engine ?? ServingRecipes.LlamaCpp.Name);
        if (recipe != ServingRecipes.LlamaCpp)
            throw new CliException(ExitCodes.Usage, $"{file} is llama.cpp's format; leave out --engine {recipe.Name}.");
        var (folder, first) = (Path.GetDirectoryName(file)!, Path.GetFileName(file));
        IReadOnlyList<string> files = Split().Match(first) is { Success: true } part
            ? [.. Directory.EnumerateFiles(folder, $"{part.Groups[1].Value}-*-of-{part.Groups[2].Value}.gguf").Select(path => Path.GetFileName(path)!).Order(StringComparer.Ordinal)]
            : [first];
        var name = wish.Name ?? ServedThing.NameOf(Path.GetFileNameWithoutExtension(first));
        return new ServedThing(ServedThing.Write(recipe, Start("./" + files[0], name, wish), Place(folder, files, name, wish), folder) with { OnlyFiles = files })
        {
            Context = wish.Context, Concurrency = wish.Concurrency,
        };
    }

    /// <summary>The engine listens where the node says; whatever else runs there, replicas share machines.</summary>
    /// <param name="folder">The model's.</param>
    /// <param name="name">The endpoint's, and the model's for clients.</param>
    /// <param name="wish">Of which sequences at once, their tokens and the kind of machine matter; null leaves all to the engine.</param>
    internal static string OnnxFolder(string folder, string name, ServeWish? wish = null) => string.Create(CultureInfo.InvariantCulture, $$"""
        name: {{name}}
        kind: serve
        resources:
          cpus: 1..
          memory: {{Memory(folder, null)}}GB..
        {{Where(wish?.Spot == true)}}workdir: .
        service:
          port: 8000
          replicas: 1
          readiness: /health
          model: {{name}}
        run: exec "$CAIRN_PROGRAM" engine . --name {{name}} --host 127.0.0.1 --port "$PORT" --grpc-port "$GRPC_PORT"{{(wish?.Concurrency is { } rows ? $" --rows {rows}" : "")}}{{(wish?.Context is { } context ? $" --context {context}" : "")}}

        """);

    /// <summary>Which machines a workload file asks for, as its lines; none where any will do that stays.</summary>
    internal static string Where(bool spot) => spot ? "where:\n  interruptible: true\n" : "";

    private static ServingStart Start(string model, string name, ServeWish wish) => new()
    {
        Model = model, Name = name, Port = 1, Context = wish.Context, Sequences = wish.Concurrency, UsesAccelerators = wish.Gpu is not null,
        Layout = new Frameworks.Fitting.Layout(wish.Gpu is { } gpu ? Math.Max(1, (int)Accelerators(gpu).Count.Min!) : 1),
    };

    private static ServingPlace Place(string folder, IReadOnlyList<string>? files, string name, ServeWish wish) => new()
    {
        Name = name, Workdir = ".", Secrets = wish.Secrets, Interruptible = wish.Spot,
        Resources = new ResourceSpec
        {
            Accelerators = wish.Gpu is { } gpu ? Accelerators(gpu) : null,
            Cpus = new Range<double>(1, null),
            MemoryBytes = new Range<long>(Memory(folder, files) * 1_000_000_000L, null),
        },
    };

    /// <summary>Half as much again as the files, in GB of at least 1.</summary>
    internal static int Memory(string folder, IReadOnlyList<string>? files)
    {
        var all = files?.Select(file => Path.Combine(folder, file)) ?? Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories);
        return Math.Max(1, (int)Math.Ceiling(all.Sum(file => new FileInfo(file).Length) * 1.5 / (1 << 30)));
    }

    /// <exception cref="CliException">It is not in the grammar of workload files, or names no number.</exception>
    private static AcceleratorSpec Accelerators(string gpu)
    {
        var parsed = WorkloadParser.Parse($"run: x\nresources:\n  accelerators: \"{gpu.Replace("\"", "", StringComparison.Ordinal)}\"\n", "--gpu");
        return parsed.File?.Steps[0].Workload.Resources.Accelerators is { Count.Min: > 0 } accelerators
            ? accelerators
            : throw new CliException(ExitCodes.Usage, $"--gpu is '{gpu}'; expected an accelerator such as H100 or L4:2.", [.. parsed.Errors.Select(e => e.Message)]);
    }

    private static string TheOne(string folder, List<string> ggufs)
    {
        var firsts = ggufs.Where(file => Split().Match(file) is not { Success: true } part || part.Groups[0].Value.Contains("-00001-of-", StringComparison.Ordinal)).ToList();
        return firsts switch
        {
            [var only] => only,
            [] => throw new CliException(ExitCodes.Usage, $"{folder} holds no .gguf file, which llama.cpp reads."),
            _ => throw new CliException(ExitCodes.Usage, $"{folder} holds {firsts.Count} models ({string.Join(", ", firsts.Take(5))}); give the file that is to be served."),
        };
    }

    private static void RequireNoPlan(ServeWish wish)
    {
        if (wish.Weights is not null || wish.Precision is not null || wish.Slo is not null)
            throw new CliException(ExitCodes.Usage, "The files say what is loaded in which precision; --weights, --precision and --slo are for models of the catalogue.");
    }

    [GeneratedRegex(@"^(.*)-\d{5}-of-(\d{5})\.gguf$")]
    private static partial Regex Split();
}
