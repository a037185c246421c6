using System.Diagnostics;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Cairn.Frameworks.Tests.Oracles;

/// <summary>
/// Hugging Face's JavaScript tokenizers and Jinja in one Node process, which answers line by line. Installed once by <c>eng/install-node-oracles.sh</c>; where that
/// is not possible a test skips with the reason, except in continuous integration, where it fails.
/// </summary>
internal sealed class NodeOracle
{
    private static readonly Lazy<(NodeOracle? Oracle, string Problem)> Shared = new(Start);
    private readonly Process _node;
    private readonly Lock _lock = new();

    private NodeOracle(Process node) => _node = node;

    public static NodeOracle Instance
    {
        get
        {
            var (oracle, problem) = Shared.Value;
            if (oracle is not null) return oracle;
            Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", problem);
            throw new InvalidOperationException(problem);
        }
    }

    /// <summary>The answer, or the oracle's own complaint.</summary>
    public (JsonNode? Value, string? Error) Ask(JsonObject question)
    {
        lock (_lock)
        {
            _node.StandardInput.WriteLine(question.ToJsonString());
            _node.StandardInput.Flush();
            var line = _node.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The oracle's process ended.");
            var answer = JsonNode.Parse(line)!;
            return (answer["value"], answer["error"]?.GetValue<string>());
        }
    }

    public JsonNode Must(JsonObject question)
    {
        var (value, error) = Ask(question);
        return error is null ? value! : throw new InvalidOperationException($"The oracle refuses {question.ToJsonString()}: {error}");
    }

    private static (NodeOracle?, string) Start()
    {
        var root = Root();
        var installed = Run("bash", root, Path.Combine(root, "eng", "install-node-oracles.sh"));
        if (installed.Code != 0) return (null, "The Node oracles could not be installed: " + installed.Output.Trim());
        var node = Process.Start(new ProcessStartInfo("node", [Path.Combine(root, "artifacts", "node-oracles", "oracle.mjs")])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, StandardInputEncoding = new UTF8Encoding(false), StandardOutputEncoding = Encoding.UTF8,
        })!;
        // Its input closes with this process, and then it ends.
        return (new NodeOracle(node), "");
    }

    private static (int Code, string Output) Run(string program, string folder, params string[] arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardError = true })!;
            var output = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output);
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (-1, e.Message);
        }
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Cairn.slnx"))) folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("Not in Cairn's tree.");
        return folder;
    }
}
