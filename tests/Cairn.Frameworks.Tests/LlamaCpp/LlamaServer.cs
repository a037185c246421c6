using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Cairn.Frameworks.Tests.Training;

namespace Cairn.Frameworks.Tests.LlamaCpp;

/// <summary>A real llama-server on a port that the system chose.</summary>
internal sealed partial class LlamaServer : IAsyncDisposable
{
    private const int Terminate = 15;
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(4);

    private readonly Process _process;
    private readonly TaskCompletionSource<Uri> _listens = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<string> _said = [];
    private HttpClient _http = new();

    private LlamaServer(Process process)
    {
        _process = process;
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => _listens.TrySetException(new InvalidOperationException($"llama-server ended:\n{Said}"));
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    private string Said
    {
        get
        {
            lock (_said)
                return string.Join('\n', _said);
        }
    }

    /// <summary>Starts it with these arguments, on a port that the system chooses, and waits until it says that it is healthy.</summary>
    public static Task<LlamaServer> StartAsync(params string[] arguments) =>
        RunAsync(["llama-server", .. arguments, "--host", "127.0.0.1", "--port", "0", "--offline"], new Dictionary<string, string>());

    /// <summary>Starts it by this command line, which names the program first, and waits until it says that it is healthy.</summary>
    public static async Task<LlamaServer> RunAsync(IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment)
    {
        var programs = await RealEngines.InstallAsync("install-llama-cpp.sh");
        var start = new ProcessStartInfo(Path.Combine(programs, command[0]), command.Skip(1))
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var server = new LlamaServer(Process.Start(start)!);
        server._http = new HttpClient { BaseAddress = await server._listens.Task.WaitAsync(s_patience), Timeout = s_patience };
        var began = Stopwatch.GetTimestamp();
        while (await server.HealthAsync() != HttpStatusCode.OK)
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < s_patience, server.Said);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TestContext.Current.CancellationToken);
        }

        return server;
    }

    public async Task<HttpStatusCode> HealthAsync()
    {
        using var response = await _http.GetAsync(new Uri("health", UriKind.Relative), TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    public Task<string> GetAsync(Uri address) => _http.GetStringAsync(address, TestContext.Current.CancellationToken);

    public async Task<JsonElement> PostAsync(string path, object body)
    {
        using var response = await _http.PostAsJsonAsync(path, body, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    /// <summary>Asks it to stop as a node asks a task, and gives the exit code.</summary>
    public async Task<int> StopAsync(TimeSpan grace)
    {
        Assert.Equal(0, Kill(_process.Id, Terminate));
        await _process.WaitForExitAsync(TestContext.Current.CancellationToken).WaitAsync(grace);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null)
            return;
        lock (_said)
            _said.Add(line);
        if (Listening().Match(line) is { Success: true } match)
            _listens.TrySetResult(new Uri(match.Value));
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Listening();
}
