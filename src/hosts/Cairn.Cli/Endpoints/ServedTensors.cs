using System.Globalization;
using System.Text.Json;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Offers;
using Cairn.Frameworks.Engine.Tensors;

namespace Cairn.Cli.Endpoints;

/// <summary>
/// A folder with one ONNX model of any kind, or that is one, as a workload: the embedded engine serves it by the Open Inference Protocol.
/// </summary>
internal static class ServedTensors
{
    private const int MostNames = 5;

    /// <returns>Null where the folder holds no such model.</returns>
    public static ServedThing? Find(string folder, ServeWish wish)
    {
        var model = RepositoryContents.ModelsAt(folder) switch
        {
            [] => null,
            [var only] => only,
            var many => throw new CliException(
                ExitCodes.Usage, $"{folder} holds {many.Count} models ({string.Join(", ", many.Take(MostNames))}{(many.Count > MostNames ? ", …" : "")}), and an endpoint has one.",
                ["Give the folder of one of them, or a workload file whose service names the model."]),
        };
        if (model is null)
            return null;
        if (wish.Concurrency is not null || wish.Context is not null)
            throw new CliException(ExitCodes.Usage, $"{model} generates no text; leave out --concurrency and --context. --replica-limit says how many requests a replica has at once.");
        var name = wish.Name ?? ServedThing.NameOf(model);
        // The engine calls a model as its folder, and a working directory has another name on every node: so the folder itself travels, not only what is in it.
        var text = RepositoryContents.IsModel(folder)
            ? new WorkloadText("model.yaml", Path.GetDirectoryName(folder)!, Workload(folder, name, model, wish.Spot)) { OnlyFiles = Files(folder) }
            : new WorkloadText("model.yaml", folder, Workload(folder, name, model, wish.Spot));
        return new ServedThing(text) { Model = wish.Name };
    }

    private static string Workload(string folder, string name, string model, bool spot) => string.Create(CultureInfo.InvariantCulture, $$"""
        name: {{name}}
        kind: serve
        resources:
          cpus: 1..
          memory: {{ServedFolder.Memory(folder, null)}}GB..
        {{ServedFolder.Where(spot)}}workdir: .
        service:
          port: 8000
          replicas: 1
          readiness: /v2/health/ready
          model: {{JsonSerializer.Serialize(model)}}
        run: exec "$CAIRN_PROGRAM" engine --repository . --host 127.0.0.1 --port "$PORT" --grpc-port "$GRPC_PORT"

        """);

    /// <summary>The files below a folder, as seen from the folder above it; hidden ones stay behind.</summary>
    private static List<string> Files(string folder)
    {
        var above = Path.GetDirectoryName(folder)!;
        var visible = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.Hidden, IgnoreInaccessible = false };
        return [.. Directory.EnumerateFiles(folder, "*", visible).Select(file => Path.GetRelativePath(above, file)).Order(StringComparer.Ordinal)];
    }
}
