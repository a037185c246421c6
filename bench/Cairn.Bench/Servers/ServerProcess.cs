using System.Diagnostics;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Cairn.Bench.Servers;

/// <summary>The real program as its own process, with its rows in a temporary folder, on free ports of loopback.</summary>
internal sealed partial class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _said = [];

    private ServerProcess(Process process, string folder) => (_process, Folder) = (process, folder);

    public string Folder { get; }

    public string Http { get; private set; } = "";

    public string Grpc { get; private set; } = "";

    /// <summary>The admin's.</summary>
    public string Key { get; private set; } = "";

    /// <summary>From the start of the process until it said that it is ready.</summary>
    public TimeSpan ReadyAfter { get; private set; }

    /// <summary>Time on any core since the start, in user and kernel.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public long ResidentBytes
    {
        get
        {
            _process.Refresh();
            return _process.WorkingSet64;
        }
    }

    public string DatabasePath => Path.Combine(Folder, "data", "cairn.db");

    /// <summary>Environment for commands that talk to this server.</summary>
    public string Home => Path.Combine(Folder, "home");

    /// <param name="command"><c>server</c> or <c>up</c>.</param>
    /// <param name="flags">Further flags.</param>
    public static async Task<ServerProcess> StartAsync(string command, params string[] flags)
    {
        var folder = Directory.CreateTempSubdirectory("cairn-bench-").FullName;
        var start = new ProcessStartInfo(CairnProgram.Path) { RedirectStandardError = true, RedirectStandardOutput = true, RedirectStandardInput = true };
        string[] own = [command, "--data", Path.Combine(folder, "data"), "--http", "127.0.0.1:0", "--grpc", $"127.0.0.1:{FreePort()}"];
        foreach (var argument in own.Concat(flags))
            start.ArgumentList.Add(argument);
        start.Environment["CAIRN_HOME"] = Path.Combine(folder, "home");
        start.Environment["CAIRN_LOG"] = "Warning";
        var began = Stopwatch.GetTimestamp();
        var server = new ServerProcess(Process.Start(start)!, folder);
        server.Listen();
        try
        {
            await server._ready.Task.WaitAsync(s_patience);
        }
        catch (Exception error)
        {
            throw new InvalidOperationException($"'cairn {command}' did not become ready: {string.Join('\n', server._said)}", error);
        }

        server.ReadyAfter = Stopwatch.GetElapsedTime(began);
        using var context = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "home", "context.json")));
        server.Key = context.RootElement.GetProperty("key").GetString()!;
        return server;
    }

    /// <summary>SIGKILL: only what is durable is left.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await _process.WaitForExitAsync();
    }

    /// <summary>What it wrote that is neither blank nor the greeting: warnings and errors.</summary>
    public IReadOnlyList<string> Said
    {
        get
        {
            lock (_said)
                return [.. _said];
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            await KillAsync();
        _process.Dispose();
        Directory.Delete(Folder, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    private void Listen()
    {
        _process.OutputDataReceived += (_, line) => Hear(line.Data);
        _process.ErrorDataReceived += (_, line) => Hear(line.Data);
        _process.Exited += (_, _) => _ready.TrySetException(new InvalidOperationException("The process ended."));
        _process.EnableRaisingEvents = true;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    private void Hear(string? line)
    {
        if (string.IsNullOrWhiteSpace(line))
            return;
        lock (_said)
            _said.Add(line);
        if (HttpAddress().Match(line) is { Success: true } http && Http.Length == 0)
            Http = http.Groups[1].Value;
        if (GrpcAddress().Match(line) is { Success: true } grpc && Grpc.Length == 0)
            Grpc = grpc.Groups[1].Value;
        if (Http.Length > 0 && Grpc.Length > 0)
            _ready.TrySetResult();
    }

    [GeneratedRegex(@"(http://[\d.]+:\d+)")]
    private static partial Regex HttpAddress();

    [GeneratedRegex(@"nodes (?:dial)? *([\d.]+:\d+)")]
    private static partial Regex GrpcAddress();
}
