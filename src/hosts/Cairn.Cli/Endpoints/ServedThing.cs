using System.Globalization;
using System.Text;
using Cairn.Cli.CommandLine;
using Cairn.Cli.Offers;

namespace Cairn.Cli.Endpoints;

/// <summary>What a person wants served, as a workload: a workload file as it is, or a folder with a model, which Cairn's own engine serves.</summary>
internal static class ServedThing
{
    /// <summary>Files that a model's folder has one of.</summary>
    private static readonly string[] s_modelFiles = ["genai_config.json", "config.json", "model.onnx"];

    public static async Task<WorkloadText> ReadAsync(string thing, string? name, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(thing))
        {
            return File.Exists(thing) || thing == "-"
                ? await WorkloadText.ReadAsync(thing, cancellationToken)
                : throw new CliException(ExitCodes.Usage, $"There is no file or folder {thing}. Give a workload file with a service, or a folder with a model.");
        }
        var folder = Path.GetFullPath(thing);
        if (!s_modelFiles.Any(file => File.Exists(Path.Combine(folder, file))) && !Directory.Exists(Path.Combine(folder, "onnx")))
            throw new CliException(ExitCodes.Usage, $"{thing} holds no model: expected {string.Join(", ", s_modelFiles)} or a folder onnx.");
        return new WorkloadText("model.yaml", folder, OfFolder(folder, name ?? NameOf(folder)));
    }

    /// <summary>The engine listens where the node says; whatever else runs there, replicas share machines.</summary>
    internal static string OfFolder(string folder, string name)
    {
        var bytes = Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Sum(file => new FileInfo(file).Length);
        var memory = Math.Max(1, (int)Math.Ceiling(bytes * 1.5 / (1 << 30)));
        return string.Create(CultureInfo.InvariantCulture, $$"""
            name: {{name}}
            kind: serve
            resources:
              cpus: 1..
              memory: {{memory}}GB..
            workdir: .
            service:
              port: 8000
              replicas: 1
              readiness: /health
              model: {{name}}
            run: exec "$CAIRN_PROGRAM" engine . --name {{name}} --host 127.0.0.1 --port "$PORT" --grpc-port -1

            """);
    }

    private static string NameOf(string folder)
    {
        var name = new StringBuilder();
        foreach (var letter in Path.GetFileName(folder.TrimEnd(Path.DirectorySeparatorChar)).ToLowerInvariant())
            name.Append(letter is (>= 'a' and <= 'z') or (>= '0' and <= '9') ? letter : '-');
        var text = name.ToString().Trim('-');
        return text.Length is 0 or > 50 ? "model" : text;
    }
}
