using System.Diagnostics;
using System.Net;
using System.Text.RegularExpressions;

namespace Cairn.Bench.Engine;

/// <summary>A real <c>llama-server</c> on a free port of loopback, installed by <c>eng/install-llama-cpp.sh</c> where it is not there yet.</summary>
internal sealed partial class LlamaProcess : IAsyncDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private readonly Process _process;
    private readonly TaskCompletionSource<Uri> _listens = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private LlamaProcess(Process process)
    {
        _process = process;
        process.EnableRaisingEvents = true;
        process.Exited += (_, _) => _listens.TrySetException(new InvalidOperationException("llama-server ended"));
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public Uri Address { get; private set; } = null!;

    public static async Task<LlamaProcess> StartAsync(params string[] arguments)
    {
        var start = new ProcessStartInfo(Path.Combine(await InstallAsync(), "llama-server"), [.. arguments, "--host", "127.0.0.1", "--port", "0", "--offline"])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        var llama = new LlamaProcess(Process.Start(start)!);
        try
        {
            llama.Address = await llama._listens.Task.WaitAsync(s_patience);
            using var http = new HttpClient { BaseAddress = llama.Address };
            using var patience = new CancellationTokenSource(s_patience);
            while (await HealthAsync(http, patience.Token) != HttpStatusCode.OK)
                await Task.Delay(20, patience.Token);
            return llama;
        }
        catch
        {
            await llama.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private static async Task<HttpStatusCode> HealthAsync(HttpClient http, CancellationToken cancellationToken)
    {
        using var response = await http.GetAsync(new Uri("health", UriKind.Relative), cancellationToken);
        return response.StatusCode;
    }

    private static async Task<string> InstallAsync()
    {
        var script = SourceTree.Path("eng", "install-llama-cpp.sh");
        using var process = Process.Start(new ProcessStartInfo("bash", [script]) { RedirectStandardOutput = true })!;
        var folder = (await process.StandardOutput.ReadToEndAsync()).Trim();
        await process.WaitForExitAsync();
        return process.ExitCode == 0 ? folder : throw new InvalidOperationException($"{script} ended with {process.ExitCode}.");
    }

    private void Hear(string? line)
    {
        if (line is not null && Listening().Match(line) is { Success: true } match)
            _listens.TrySetResult(new Uri(match.Value));
    }

    [GeneratedRegex(@"http://127\.0\.0\.1:\d+")]
    private static partial Regex Listening();
}
