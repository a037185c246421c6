using System.Diagnostics;
using System.Text;
using System.Text.Json.Nodes;

namespace Cairn.Frameworks.Tests.Oracles;

/// <summary>
/// Another implementation in one process that answers line by line. A script under eng/ installs it once; where that is not possible a
/// test skips with the reason, except in continuous integration, where it fails.
/// </summary>
internal sealed class Oracle
{
    private static readonly string Root = Find();
    private static readonly Lazy<(Oracle?, string)> JavaScriptStart = new(() => Start("install-node-oracles.sh", _ =>
        ("node", [Path.Combine(Root, "artifacts", "node-oracles", "oracle.mjs")])));

    private static readonly Lazy<(Oracle?, string)> OpenAiClientStart = new(() => Start("install-node-oracles.sh", _ =>
        ("node", [Path.Combine(Root, "artifacts", "node-oracles", "openai.mjs")])));

    private static readonly Lazy<(Oracle?, string)> ClientsStart = new(() => Start("install-node-oracles.sh", _ =>
        ("node", [Path.Combine(Root, "artifacts", "node-oracles", "clients.mjs")])));

    private static readonly Lazy<(Oracle?, string)> PythonStart = new(() => Start("install-python-oracles.sh", home =>
        (Path.Combine(home, "bin", "python"), [Path.Combine(Root, "tests", "Cairn.Frameworks.Tests", "Oracles", "oracle.py")])));

    private readonly Process _process;
    private readonly Lock _lock = new();

    private Oracle(Process process) => _process = process;

    /// <summary>Hugging Face's packages for JavaScript: @huggingface/tokenizers and @huggingface/jinja.</summary>
    public static Oracle JavaScript => Given(JavaScriptStart.Value);

    /// <summary>OpenAI's own client for JavaScript.</summary>
    public static Oracle OpenAiClient => Given(OpenAiClientStart.Value);

    /// <summary>OpenAI's and Anthropic's own clients for JavaScript, with keys and addresses as a test says.</summary>
    public static Oracle Clients => Given(ClientsStart.Value);

    /// <summary>Hugging Face's tokenizers (Rust) and Jinja under Python: what the transformers library runs.</summary>
    public static Oracle Python => Given(PythonStart.Value);

    /// <summary>The answer, or the oracle's own complaint.</summary>
    public (JsonNode? Value, string? Error) Ask(JsonObject question)
    {
        var answer = AskWhole(question);
        return (answer["value"], answer["error"]?.GetValue<string>());
    }

    /// <summary>All that the script says.</summary>
    public JsonNode AskWhole(JsonObject question)
    {
        lock (_lock)
        {
            _process.StandardInput.WriteLine(question.ToJsonString());
            _process.StandardInput.Flush();
            return JsonNode.Parse(_process.StandardOutput.ReadLine() ?? throw new InvalidOperationException("The oracle's process ended."))!;
        }
    }

    public JsonNode Must(JsonObject question)
    {
        var (value, error) = Ask(question);
        return error is null ? value! : throw new InvalidOperationException($"The oracle refuses {question.ToJsonString()}: {error}");
    }

    private static Oracle Given((Oracle? Oracle, string Problem) start)
    {
        if (start.Oracle is not null) return start.Oracle;
        Assert.SkipUnless(Environment.GetEnvironmentVariable("CI") == "true", start.Problem);
        throw new InvalidOperationException(start.Problem);
    }

    private static (Oracle?, string) Start(string script, Func<string, (string Program, string[] Arguments)> program)
    {
        try
        {
            using var install = Process.Start(new ProcessStartInfo("bash", [Path.Combine(Root, "eng", script)])
            {
                RedirectStandardOutput = true, RedirectStandardError = true,
            })!;
            var problem = install.StandardError.ReadToEndAsync();
            var home = install.StandardOutput.ReadToEnd().Trim();
            install.WaitForExit();
            if (install.ExitCode != 0) return (null,
                $"eng/{script} could not install what the test compares with: {problem.GetAwaiter().GetResult().Trim()}");
            var (name, arguments) = program(home);
            // The process ends when its input closes, and that closes with this one.
            return (new Oracle(Process.Start(new ProcessStartInfo(name, arguments)
            {
                RedirectStandardInput = true, RedirectStandardOutput = true, StandardInputEncoding = new UTF8Encoding(false),
                    StandardOutputEncoding = Encoding.UTF8,
            })!), "");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return (null, $"eng/{script}: {e.Message}");
        }
    }

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder,
            "Cairn.slnx"))) folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("Not in Cairn's tree.");
        return folder;
    }
}
