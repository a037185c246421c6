using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Cairn.EndToEnd.Tests;

/// <summary>A running <c>cairn up</c>, or <c>cairn server</c>, in a folder of its own, that a test may kill and start again.</summary>
internal sealed class CairnUp : IAsyncDisposable
{
    private readonly string _folder;
    private readonly string[] _arguments;
    private readonly List<string> _log = [];
    private Process? _process;

    private CairnUp(string command, string[] flags)
    {
        _folder = Directory.CreateTempSubdirectory("cairn-e2e-").FullName;
        HttpPort = CairnProgram.FreePort();
        GrpcPort = CairnProgram.FreePort();
        Cli = new CairnProgram(Path.Combine(_folder, "home"));
        _arguments = [command, "--data", Path.Combine(_folder, "data"), "--http", $"127.0.0.1:{HttpPort}", "--grpc", $"127.0.0.1:{GrpcPort}", .. flags];
    }

    public int HttpPort { get; }

    public int GrpcPort { get; }

    public CairnProgram Cli { get; }

    public string Folder => _folder;

    public string Address => $"http://127.0.0.1:{HttpPort}";

    public int ProcessId => _process!.Id;

    public string Log
    {
        get
        {
            lock (_log)
                return string.Join('\n', _log);
        }
    }

    public static async Task<CairnUp> StartAsync(params string[] flags) => await StartAsync("up", flags);

    public static async Task<CairnUp> StartServerAsync(params string[] flags) => await StartAsync("server", flags);

    public async Task StartAgainAsync()
    {
        _process = Cli.Start(_arguments);
        _process.StandardInput.Close();
        _process.OutputDataReceived += (_, line) => Keep(line.Data);
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        await Eventually.TrueAsync(AnswersAsync, $"the server answers\n{Log}");
        if (_arguments[0] == "up")
            await Eventually.TrueAsync(async () => (await NodesAsync()).Exists(n => n.GetProperty("connected").GetBoolean() && n.GetProperty("health").GetString() == "healthy"), "the node is healthy");
    }

    /// <summary>As a power cut or the kernel would: no warning, no goodbye.</summary>
    public async Task KillAsync()
    {
        _process!.Kill(entireProcessTree: false);
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    public HttpClient NewClient(string? key = null)
    {
        var client = new HttpClient { BaseAddress = new Uri(Address + "/api/v1/") };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key ?? AdminKey());
        return client;
    }

    public async Task<JsonElement> GetAsync(string path)
    {
        using var client = NewClient();
        return await client.GetFromJsonAsync<JsonElement>(path, TestContext.Current.CancellationToken);
    }

    public async Task<List<JsonElement>> NodesAsync() => [.. (await GetAsync("nodes")).GetProperty("items").EnumerateArray()];

    public Task<JsonElement> JobAsync(string name) => GetAsync("jobs/" + name);

    public async Task<JsonElement> UntilPhaseAsync(string job, params string[] phases)
    {
        JsonElement seen = default;
        await Eventually.TrueAsync(
            async () =>
            {
                seen = await JobAsync(job);
                return phases.Contains(seen.GetProperty("phase").GetString());
            },
            $"{job} is {string.Join(" or ", phases)}");
        return seen;
    }

    public string AdminKey() =>
        JsonDocument.Parse(File.ReadAllText(Path.Combine(Cli.Home, "context.json"))).RootElement.GetProperty("key").GetString()!;

    /// <summary>Writes a workload file and gives its path.</summary>
    public string WriteFile(string name, string text)
    {
        var path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
        {
            using (Process.Start("/bin/kill", ["-TERM", _process.Id.ToString(CultureInfo.InvariantCulture)])) { }
            using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            try
            {
                await _process.WaitForExitAsync(limit.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill(entireProcessTree: true);
            }
        }

        _process?.Dispose();
        try
        {
            Directory.Delete(_folder, recursive: true);
        }
        catch (IOException)
        {
            // A task that outlives the test may still write there; the folder is temporary.
        }
        catch (UnauthorizedAccessException)
        {
            // Files of the task's own user.
        }
    }

    private static async Task<CairnUp> StartAsync(string command, string[] flags)
    {
        var up = new CairnUp(command, flags);
        await up.StartAgainAsync();
        return up;
    }

    private async Task<bool> AnswersAsync()
    {
        if (_process!.HasExited)
            throw new InvalidOperationException($"cairn ended with {_process.ExitCode}:\n{Log}");
        if (!File.Exists(Path.Combine(Cli.Home, "context.json")))
            return false;
        try
        {
            using var client = NewClient();
            using var response = await client.GetAsync("whoami", TestContext.Current.CancellationToken);
            return response.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private void Keep(string? line)
    {
        if (line is not null)
            lock (_log)
                _log.Add(line);
    }
}
